"""The addresses of the public face. Keys and tokens are letters, digits, hyphens and underscores; ids are UUIDs."""

from django.urls import include, path, re_path, register_converter

from widget import report_views, script, server_views, site_views
from widget.api import NoOperation


class KeyConverter:
    """A site's key. What cannot be one is an address that does not exist."""

    regex = "[A-Za-z0-9_-]{1,40}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class TokenConverter(KeyConverter):
    regex = "[A-Za-z0-9_-]{1,64}"


class BuiltFileConverter:
    """A file that the widget fetches from beside its script."""

    regex = r"[A-Za-z]{2,20}(?:-[A-Za-z]{2,8})?\.(?:js|json)"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(BuiltFileConverter, "builtfile")
register_converter(KeyConverter, "sitekey")
register_converter(TokenConverter, "token")

urlpatterns = [
    path("talk/", include("widget.hosted.urls")),
    path("widget/v1.js", script.widget_script, name="widget-script"),
    path("widget/v1.d.ts", script.widget_types, name="widget-types"),
    path("widget/v1/<builtfile:name>", script.widget_file, name="widget-file"),
    path("api/v1/widgets/<sitekey:key>/config", site_views.WidgetConfig.as_view(), name="widget-config"),
    path("api/v1/widgets/<sitekey:key>/leads", site_views.WidgetLeads.as_view(), name="widget-leads"),
    path("api/v1/widgets/<sitekey:key>/leads/<token:token>", site_views.WidgetLead.as_view(), name="widget-lead"),
    path("api/v1/leads", server_views.Leads.as_view(), name="leads"),
    path("api/v1/leads/<uuid:lead_id>", server_views.OneLead.as_view(), name="lead"),
    path("api/v1/leads/<uuid:lead_id>/decision", server_views.LeadDecision.as_view(), name="lead-decision"),
    path("api/v1/leads/<uuid:lead_id>/responses", server_views.LeadResponses.as_view(), name="lead-responses"),
    path("api/v1/leads/<uuid:lead_id>/reassign", server_views.LeadReassign.as_view(), name="lead-reassign"),
    path("api/v1/leads/<uuid:lead_id>/close", server_views.LeadClose.as_view(), name="lead-close"),
    path("api/v1/reports/speed-to-lead", report_views.SpeedToLead.as_view(), name="report-speed-to-lead"),
    path("api/v1/coverage", report_views.CoverageGaps.as_view(), name="report-coverage"),
    re_path("^api/", NoOperation.as_view()),
]
