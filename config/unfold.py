"""How the admin looks, and what stands in its sidebar."""

from collections.abc import Callable
from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


def _static(path: str) -> Callable[[Any], str]:
    return lambda request: static(path)


def _icon(request: Any) -> str:
    return static("switchyard/icon.svg")


def _page(name: str) -> Callable[[Any], str]:
    return lambda request: reverse(name)


def navigation(request: Any) -> list[dict[str, Any]]:
    """The sections that the user may enter in the active workspace."""
    from config.admin_sections import sections_for  # the models need the settings first

    groups = sections_for(request)
    links = [reverse(section.page) for group in groups for section in group.sections]
    # The longest that the address begins with: a page below a list is its own section, too.
    here = max((link for link in links if request.path.startswith(link)), key=len, default="")
    return [
        {
            "title": group.title,
            "separator": bool(place),
            "items": [
                {
                    "title": section.title,
                    "icon": section.icon,
                    "link": (link := reverse(section.page)),
                    "active": link == here,
                }
                for section in group.sections
            ],
        }
        for place, group in enumerate(groups)
    ]


UNFOLD = {
    "SITE_TITLE": "Switchyard",
    "SITE_HEADER": "Switchyard",
    "SITE_SUBHEADER": _("Lead routing"),
    "SITE_SYMBOL": "alt_route",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    # One sheet and one script for each subject: the frame, then what stands in it.
    "STYLES": [
        _static(f"switchyard/{name}.css")
        for name in ("admin", "admin_chrome", "admin_start", "admin_people", "admin_site")
    ],
    "SCRIPTS": [
        _static(f"switchyard/{name}.js")
        for name in ("admin", "admin_chrome", "admin_site", "week", "pickers", "handles", "shares")
    ],
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": navigation},
    # One audit of two lists: what changed at once, and what changed by publishing.
    "TABS": [
        {
            "models": ["agents.rosterchange", "routing.policyversion"],
            "items": [
                {"title": _("Roster changes"), "link": _page("admin:agents_rosterchange_changelist")},
                {"title": _("Published policies"), "link": _page("admin:routing_policyversion_changelist")},
            ],
        }
    ],
    "COMMAND": {"search_models": False, "show_history": False},
    "COLORS": {
        "primary": {
            "50": "oklch(97.7% .014 236.6)",
            "100": "oklch(95.1% .026 236.8)",
            "200": "oklch(90.1% .058 230.9)",
            "300": "oklch(82.8% .111 230.3)",
            "400": "oklch(74.6% .13 232.7)",
            "500": "oklch(66% .13 238)",
            "600": "oklch(52% .125 243)",
            "700": "oklch(45.5% .115 243.5)",
            "800": "oklch(39.5% .095 241)",
            "900": "oklch(34.5% .08 240.9)",
            "950": "oklch(26% .06 243.2)",
        },
    },
}
