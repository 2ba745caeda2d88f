"""Figures as people read them."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from leads.reports import page

register = template.Library()


@register.filter
def duration(seconds: float | None) -> str:
    """0.4 s, 45 s, 4 min 12 s, 2 h 5 min, 3 d 4 h; to the nearest, so that no figure looks more exact than it is."""
    if seconds is None:
        return "–"
    if seconds < 9.95:
        return _("%s s") % number_format(round(seconds, 1), 1 if seconds % 1 else 0)
    whole = round(seconds)
    if whole < 60:
        return _("%d s") % whole
    if whole < 3_600:
        minutes, rest = divmod(whole, 60)
        return _("%(m)d min %(s)d s") % {"m": minutes, "s": rest} if rest else _("%d min") % minutes
    minutes = round(seconds / 60)
    if minutes < 1_440:
        hours, rest = divmod(minutes, 60)
        return _("%(h)d h %(m)d min") % {"h": hours, "m": rest} if rest else _("%d h") % hours
    days, rest = divmod(round(seconds / 3_600), 24)
    return _("%(d)d d %(h)d h") % {"d": days, "h": rest} if rest else _("%d d") % days


@register.filter
def brief(seconds: float | None) -> str:
    """The same in a few characters: 45s, 4m, 2h, 3d."""
    if seconds is None:
        return ""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


@register.filter
def share(part: float | None) -> str:
    """0.4125 as 41.3 %."""
    return "–" if part is None else f"{_rounded(part * 100, 1)} %"


def _rounded(number: float, digits: int) -> str:
    """To the nearest: `number_format` alone cuts digits off, and shares of one whole would not add up."""
    return number_format(round(number, digits), digits)


@register.filter
def count(number: int | None) -> str:
    return "–" if number is None else number_format(number, use_l10n=True, force_grouping=True)


_SHOWN = {page.COUNT: count, page.DURATION: duration, page.SHARE: share}


@register.filter
def plain(cell: page.Cell) -> str:
    """A cell without its link."""
    if cell.kind in _SHOWN:
        return _SHOWN[cell.kind](cell.value)
    if cell.kind == page.NUMBER:
        return "–" if cell.value is None else _rounded(cell.value, 2).replace("-", "−")
    return str(cell.value if cell.value is not None else "")


@register.filter
def cell(shown: page.Cell) -> SafeString:
    """A cell, with a link to what is behind it where there is anything."""
    if shown.parts:
        return mark_safe(", ".join(_linked(text, link) for text, link in shown.parts))  # noqa: S308 - they are escaped
    text = conditional_escape(plain(shown))
    if shown.link and (shown.value if shown.behind is None else shown.behind):
        return _linked(text, address(shown))
    return text


def address(shown: page.Cell) -> str:
    """Where a number leads. It is told, so that the list can say so where it finds another one."""
    number = shown.value if shown.behind is None and shown.kind == page.COUNT else shown.behind
    is_told = number is not None and "?" in shown.link and "#" not in shown.link
    return f"{shown.link}&n={number}" if is_told else shown.link


@register.filter
def cells(row: page.Row) -> SafeString:
    """The cells of a row of a table. A page has thousands, for which a loop in a template takes four times as long."""
    return mark_safe(  # noqa: S308 - they are escaped
        "".join(f'<td class="{each.kind}{" bad" if each.is_bad else ""}">{cell(each)}</td>' for each in row.cells)
    )


def _linked(text: str, link: str) -> SafeString:
    return mark_safe(f'<a href="{escape(link)}">{conditional_escape(text)}</a>')  # noqa: S308 - they are escaped


def _squeezed(shown: page.Cell) -> str:
    """A cell in a few characters, for a small place."""
    if shown.kind == page.DURATION:
        return brief(shown.value)
    number = shown.value
    return f"{number / 1_000:.0f}k" if number >= 10_000 else str(number)


@register.filter
def heat(row: page.Row) -> SafeString:
    """The cells of a row, each shaded as strongly as the row's strip says."""
    return mark_safe(  # noqa: S308 - they are escaped
        "".join(f'<td class="h{level}">{_hot(each)}</td>' for each, level in zip(row.cells, row.strip, strict=True))
    )


def _hot(shown: page.Cell) -> str:
    if shown.value is None:
        return ""
    if not shown.link:
        return f"<span>{_squeezed(shown)}</span>"
    said = conditional_escape(", ".join(filter(None, (plain(shown), shown.note))))
    return f'<a href="{conditional_escape(address(shown))}" title="{said}">{_squeezed(shown)}</a>'


@register.filter
def microseconds(length: int) -> str:
    return duration(length / 1_000_000)


@register.filter
def unlocalised(number: float) -> str:
    """As SVG wants numbers, whatever the language of the page."""
    return f"{number:g}"


@register.filter
def headed(table: page.Table) -> list[tuple[str, str]]:
    """The headings, each with the kind of what stands under it."""
    kinds = ["", *(cell.kind for cell in table.rows[0].cells)]
    return list(zip(table.columns, kinds, strict=False))
