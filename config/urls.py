"""Every address of the installation. Each app adds its own."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from config import health, problems
from config.api_docs import ApiDocs

admin.autodiscover()

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/v1/docs/", ApiDocs.as_view(), name="api-docs"),
    path("invitations/", include("agents.urls")),
    path("act/", include("leads.one_click.urls")),
    path("inbox/push/", include("leads.push.urls")),
    path("inbox/", include("leads.inbox.urls")),
    path("reports/", include("leads.reports.urls")),
    path("demo/", include("widget.demo.urls")),
    path("", include("widget.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.page_not_found
handler500 = problems.server_error
