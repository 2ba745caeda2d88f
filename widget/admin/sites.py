"""A site's page: how it looks, what it says, where it runs; what to paste and to print; and how all that looks."""

from __future__ import annotations

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from unfold.decorators import display

from agents.admin.roster import lines
from agents.admin.scoped import WorkspaceAdmin
from agents.channels import CHANNELS
from agents.languages import own_name
from agents.models import Site
from agents.models.site import make_signing_secret
from agents.scoping import Action
from leads.promises import spoken
from widget.admin.site_form import SiteForm
from widget.hosted.qr import qr_png, qr_svg
from widget.site_config import page_url, site_config
from widget.snippet import attributes_of, snippet_of

# The preview is as strict as the strictest page that carries the widget.
_STRICT = {
    "script-src": [SELF],
    "style-src": [SELF],
    "connect-src": [SELF],
    "frame-ancestors": [SELF],
}


_MOST_ON_A_POSTER = 4  # languages


@admin.register(Site)
class SiteAdmin(WorkspaceAdmin):
    needs = Action.CHANGE_ACCESS
    form = SiteForm
    list_display = ("name", "runs_on", "offers", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name",)
    ordering = ("name", "id")
    actions = ("renew_signing_secret",)
    readonly_fields = ("snippet", "pages", "key", "secret")
    change_form_outer_after_template = "admin/sites/preview_frames.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        install = [(_("Install"), {"fields": ("snippet", "pages")})] if obj else []
        doors: tuple[str, ...] = ("origins", "fallback_url")
        return [
            *install,
            (_("Site"), {"fields": ("name", "is_active")}),
            (_("What it offers"), {"fields": ("channels", "hours_shown")}),
            (_("Look"), {"fields": ("accent", "on_accent", "side", "scheme", "offset")}),
            (_("Words"), {"fields": ("texts",)}),
            (_("Consent"), {"fields": ("asks_consent", "privacy_url")}),
            (_("Where it runs"), {"fields": (*doors, "key", "secret") if obj else doors}),
        ]

    def get_urls(self) -> list[Any]:
        pages = [("preview", self.preview), ("poster", self.poster), ("qr.svg", self.qr_file), ("qr.png", self.qr_file)]
        return [
            *(
                path(f"<path:object_id>/{name}", self.admin_site.admin_view(view), name=f"agents_site_{name}")
                for name, view in pages
            ),
            *super().get_urls(),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # leads name the site they came from: it is switched off

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        site = self.get_object(request, unquote(object_id))
        shown: dict[str, Any] = {}
        if site is not None:
            tags = site.workspace.languages
            shown = {
                "preview": reverse("admin:agents_site_preview", args=[site.pk]),
                "preview_languages": [(tag, own_name(tag)) for tag in tags],
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    @method_decorator(xframe_options_sameorigin)
    @method_decorator(csp_replace(_STRICT))
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The real widget as the form would have it, on a page that answers in the server's place: it takes no lead."""
        site = self._site(request, object_id)
        problems: list[str] = []
        if request.method == "POST":
            form = self.get_form(request, site, change=True)(request.POST, instance=site)
            if form.is_valid():
                site = form.instance
            else:
                problems = [str(message) for found in form.errors.values() for message in found]
        offered = site.workspace.languages
        language = request.POST.get("_language", "")
        language = language if language in offered else offered[0]
        context = {
            "site": site,
            "language": language,
            "problems": problems,
            "attributes": attributes_of(site),
            "config": site_config(site, language=language, at=timezone.now()),
        }
        return TemplateResponse(request, "admin/sites/preview.html", context)

    def poster(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A page to print: whoever scans it lands on the site's own page."""
        site = self._site(request, object_id)
        context = {
            "site": site,
            "address": page_url(site),
            "code": qr_svg(page_url(site)),
            "sentences": [(tag, _invitation(tag)) for tag in site.workspace.languages[:_MOST_ON_A_POSTER]],
        }
        return TemplateResponse(request, "admin/sites/poster.html", context)

    def qr_file(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The code alone, for a printer's own layout."""
        address = page_url(self._site(request, object_id))
        is_png = request.path.endswith(".png")
        response = HttpResponse(
            qr_png(address) if is_png else qr_svg(address, is_file=True),
            content_type="image/png" if is_png else "image/svg+xml",
        )
        response["Content-Disposition"] = f'attachment; filename="qr.{"png" if is_png else "svg"}"'
        return response

    def _site(self, request: HttpRequest, object_id: str) -> Site:
        site: Site | None = self.get_object(request, unquote(object_id))
        if site is None or not self.has_change_permission(request, site):
            raise Http404
        return site

    @display(description=_("Runs on"))
    def runs_on(self, site: Site) -> Any:
        return lines(site.origins)

    @display(description=_("Channels"))
    def offers(self, site: Site) -> str:
        return ", ".join(str(CHANNELS[name].label) if name in CHANNELS else name for name in site.channels) or "–"

    @display(description=_("Snippet"))
    def snippet(self, site: Site) -> Any:
        return format_html(
            '<code class="sy-copy" id="snippet">{}</code>'
            '<button type="button" class="sy-button" data-copies="snippet" hidden>{}</button>'
            '<p class="sy-quiet">{}</p>',
            snippet_of(site),
            _("Copy"),
            _("Paste this into every page that shows the widget, before </body>. It carries the look as it was saved."),
        )

    @display(description=_("Its own page"))
    def pages(self, site: Site) -> Any:
        links = [
            (page_url(site), _("Open the page")),
            (reverse("admin:agents_site_poster", args=[site.pk]), _("Poster to print")),
            (reverse("admin:agents_site_qr.svg", args=[site.pk]), _("QR code as SVG")),
            (reverse("admin:agents_site_qr.png", args=[site.pk]), _("QR code as PNG")),
        ]
        return format_html(
            '<p class="sy-links">{}</p><p class="sy-quiet">{}</p>',
            format_html_join(" ", '<a href="{}">{}</a>', links),
            _("The same choice without script: for posters, mail footers and visitors who block scripts."),
        )

    @display(description=_("Signing secret"))
    def secret(self, site: Site) -> Any:
        return format_html(
            '<details class="sy-secret"><summary>{}</summary><code class="sy-copy" id="secret">{}</code>'
            '<button type="button" class="sy-button" data-copies="secret" hidden>{}</button><p class="sy-quiet">{}</p>'
            "<pre>{}</pre></details>",
            _("Show"),
            site.signing_secret,
            _("Copy"),
            _(
                "With it your server vouches for what it knows about a visitor, so that rules may rely on it. Keep it"
                " on the server. Unsigned attributes count only where the workspace lists them as public."
            ),
            _SIGNING,
        )

    @admin.action(description=_("Make a new signing secret"), permissions=["change"])
    def renew_signing_secret(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        sites = list(queryset)
        for site in sites:
            site.signing_secret = make_signing_secret()
            site.save(update_fields=["signing_secret"])
        self.message_user(
            request,
            ngettext(
                "Made a new signing secret for %d site; what the old one signed counts no more.",
                "Made new signing secrets for %d sites; what the old ones signed counts no more.",
                len(sites),
            )
            % len(sites),
        )


def _invitation(tag: str) -> str:
    with translation.override(spoken(tag)):
        return _now("Scan to talk to us")


# In Python, because it reads like a description; three lines in any language.
_SIGNING = """\
payload = base64url(json.dumps({"plan": "team", "exp": int(time.time()) + 3600}))   # without "="
signed = payload + "." + hmac.new(secret, payload, sha256).hexdigest()
switchyard.setAttributes({}, signed)   // in the page"""
