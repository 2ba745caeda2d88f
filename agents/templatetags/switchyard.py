from typing import Any

from django import template
from django.utils.html import format_html

from agents.workspace_stamp import FIELD, stamp

register = template.Library()


@register.simple_tag(takes_context=True)
def workspace_stamp(context: Any) -> Any:
    """The hidden field that says which workspace a form was shown for."""
    request = context["request"]
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, stamp(request.workspace))


@register.filter
def initials(name: str) -> str:
    """`Marta Ruiz` as “MR”: what stands where there is no photo."""
    words = [word for word in name.split() if word[0].isalnum()] or [name or "?"]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
