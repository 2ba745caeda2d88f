"""Every form carries the workspace it was shown for; a POST while another one is active is refused.

Somebody with two tabs would otherwise save one workspace's rule into the other. The refusal keeps what was typed and
offers to go back and send it again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from agents.models import Workspace
from agents.scoping import activate, workspaces_of

FIELD = "_workspace"
_SWITCH = "_switch"
_SALT = "agents.workspace_stamp"
_NOT_TYPED = (FIELD, _SWITCH, "csrfmiddlewaretoken")

View = Callable[..., HttpResponse]


def stamp(workspace: Workspace | None) -> str:
    """The signed value of the hidden field."""
    return signing.dumps(workspace.pk if workspace else 0, salt=_SALT)


def in_any_workspace(view: View) -> View:
    """Mark a view whose POST concerns the user alone, whatever workspace is active."""
    view.in_any_workspace = True  # type: ignore[attr-defined]
    return view


def only_as_stamped(view: View) -> View:
    """Answer a POST only under the workspace its form was shown for."""
    if getattr(view, "in_any_workspace", False):
        return view

    @wraps(view)
    def stamped_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
            refused = _refusal(request)
            if refused is not None:
                return refused
        return view(request, *args, **kwargs)

    return stamped_view


def _refusal(request: HttpRequest) -> HttpResponse | None:
    active: Workspace | None = request.workspace  # type: ignore[attr-defined]
    try:
        stamped = signing.loads(request.POST.get(FIELD, ""), salt=_SALT)
    except signing.BadSignature:
        return _refused(request, None, _("This form does not say which workspace it is for. Nothing was saved."))
    if stamped == (active.pk if active else 0):
        return None
    meant = workspaces_of(request.user).filter(pk=stamped).first()
    if meant is None:
        return _refused(request, None, _("This form is for a workspace that is not yours any more. Nothing was saved."))
    if _SWITCH in request.POST:
        activate(request, meant)
        return None
    sentence = _("This form is for %(meant)s, but you now work in %(active)s. Nothing was saved.")
    return _refused(request, meant, sentence % {"meant": meant, "active": active})


def _refused(request: HttpRequest, meant: Workspace | None, sentence: str) -> HttpResponse:
    from django.contrib import admin

    sent = [(name, value) for name, values in request.POST.lists() for value in values if name not in _NOT_TYPED]
    context = {
        **admin.site.each_context(request),
        "title": _("Nothing was saved"),
        "sentence": sentence,
        "meant": meant,
        "stamp_of_meant": stamp(meant) if meant else "",
        "sent": sent,
        "typed": [(name, value) for name, value in sent if value and not name.startswith("_") and "_FORMS" not in name],
    }
    return TemplateResponse(request, "admin/refused.html", context, status=409)
