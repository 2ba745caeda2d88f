"""QR codes, as drawings that may stand in a page or be printed."""

from __future__ import annotations

import io

from django.utils.safestring import SafeString, mark_safe


def qr_svg(text: str, *, is_file: bool = False) -> SafeString:
    """Black on nothing, for a page; a file is black on white, and says by itself what it is."""
    import segno

    buffer = io.BytesIO()
    segno.make(text, error="m").save(
        buffer,
        kind="svg",
        border=4 if is_file else 1,
        light="#fff" if is_file else None,
        xmldecl=is_file,
        svgns=is_file,
        omitsize=True,
        svgclass=None,
        lineclass=None,
        nl=False,
    )
    return mark_safe(buffer.getvalue().decode())  # noqa: S308 - segno draws; the text is in the pattern only


def qr_png(text: str) -> bytes:
    """For print: 20 dots a module."""
    import segno

    buffer = io.BytesIO()
    segno.make(text, error="m").save(buffer, kind="png", scale=20, border=4)
    return buffer.getvalue()
