"""What the pages of the draft's parts have in common: two who save at once are told of each other."""

from typing import Any

from django.db import transaction
from django.http import HttpResponse

from agents.admin.scoped import WorkspaceAdmin
from agents.scoping import Action
from routing.drafting import lock_draft


class DraftPartAdmin(WorkspaceAdmin):
    """Nothing here routes a lead until it is published."""

    needs = Action.CHANGE_POLICY

    class Media:
        css = {"all": ["switchyard/rules.css", "switchyard/pick.css"]}
        js = ["switchyard/pick.js", "switchyard/rules.js"]

    def changeform_view(
        self, request: Any, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            # Whether somebody else saved it meanwhile is asked when nobody can any more.
            lock_draft(request.workspace)
            return super().changeform_view(request, object_id, form_url, extra_context)
