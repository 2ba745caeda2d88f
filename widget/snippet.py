"""What customers paste into their pages."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _

from agents.models import Scheme, Side, Site
from agents.site_texts import in_language
from leads.promises import spoken
from widget.site_config import page_url


def attributes_of(site: Site) -> list[tuple[str, str]]:
    """What the script must know before anybody opens the widget; where nothing is said, its own defaults stand."""
    said = {
        "data-color": (site.accent, _default("accent")),
        "data-position": (site.side, Side.RIGHT),
        "data-theme": (site.scheme, Scheme.AUTO),
        "data-offset": (str(site.offset), str(_default("offset"))),
        "data-label": (_label(site), ""),
        "data-fallback": (site.fallback_url, ""),
    }
    return [("data-site", site.key), *((name, value) for name, (value, default) in said.items() if value != default)]


def snippet_of(site: Site) -> str:
    """The script, and a link for visitors without one, in the workspace's first language: HTML to be shown, not run."""
    language = site.workspace.languages[0]
    with translation.override(spoken(language)):
        words = in_language(site.texts, language).get("title") or _("How would you like to talk?")
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in attributes_of(site))
    return (
        f'<script async src="{escape(settings.PUBLIC_URL)}/widget/v1.js"{attributes}></script>\n'
        f'<noscript><a href="{escape(page_url(site))}">{escape(words)}</a></noscript>'
    )


def _label(site: Site) -> str:
    """The button's words, where one language has any: in several, the script learns them when it is opened."""
    found = [words["launcher"] for words in site.texts.values() if "launcher" in words]
    return found[0] if len(found) == 1 else ""


def _default(column: str) -> object:
    return Site._meta.get_field(column).get_default()
