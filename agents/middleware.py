"""What every request knows about its workspace."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from agents.roster import acting_as
from agents.scoping import active_workspace


class ActiveWorkspaceMiddleware:
    """Sets `request.workspace`, and writes roster changes down to the user who makes them.

    The workspace is looked up when first used, so public requests touch neither session nor database for it. Test it
    for truth (`if request.workspace`), not with `is None`: it is a lazy object, false where there is none.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.workspace = SimpleLazyObject(lambda: active_workspace(request))  # type: ignore[attr-defined]
        with acting_as(request.user), _clock_of(request):
            return self.get_response(request)


def _clock_of(request: Any) -> AbstractContextManager[Any]:
    """Under /admin/ every moment is shown and typed by the clock of the workspace."""
    if not request.path_info.startswith("/admin/") or not request.user.is_authenticated or not request.workspace:
        return nullcontext()
    return timezone.override(request.workspace.timezone)
