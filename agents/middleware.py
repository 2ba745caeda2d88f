"""What every request knows about its workspace."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
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
        with acting_as(request.user):
            return self.get_response(request)
