"""Actions on several people that ask something first: until when, from when to when, whose week."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agents import rostering
from agents.forms.roster import PEOPLE_LIST
from agents.forms.several import CopyShiftsForm, PauseForm, TimeOffForAllForm
from agents.models import Agent

_NAMED = 12  # of those chosen; the others are counted


class SeveralPeople:
    """Stands in front of the admin class whose list it joins."""

    @admin.action(description=_("Pause until …"), permissions=["change"])
    def pause_until(self, request: Any, queryset: QuerySet[Any]) -> HttpResponse | None:
        def act(form: forms.Form) -> str:
            count = rostering.set_paused(agents=queryset, paused=True, until=form.cleaned_data["until"])
            return ngettext("Paused %d agent.", "Paused %d agents.", count) % count

        return self._ask(request, queryset, PauseForm, _now("Pause until"), act)

    @admin.action(description=_("Add time off …"), permissions=["change"])
    def add_time_off(self, request: Any, queryset: QuerySet[Any]) -> HttpResponse | None:
        def act(form: forms.Form) -> str:
            count = rostering.add_time_off(agents=queryset, **form.cleaned_data)
            return ngettext("Added time off for %d agent.", "Added time off for %d agents.", count) % count

        return self._ask(request, queryset, TimeOffForAllForm, _now("Add time off"), act)

    @admin.action(description=_("Copy shifts to them …"), permissions=["change"])
    def copy_shifts(self, request: Any, queryset: QuerySet[Any]) -> HttpResponse | None:
        people = Agent.objects.for_workspace(request.workspace).order_by("name", "id")

        def made(data: Any = None) -> forms.Form:
            return CopyShiftsForm(data, people={agent.pk: agent for agent in people})

        def act(form: forms.Form) -> str:
            source = form.cleaned_data["source"]
            count = rostering.copy_shifts(source=source, agents=queryset)
            said = ngettext("%(n)d agent works as %(who)s does.", "%(n)d agents work as %(who)s does.", count)
            return said % {"n": count, "who": source}

        return self._ask(request, queryset, made, _now("Copy shifts"), act)

    def _ask(
        self,
        request: Any,
        queryset: QuerySet[Any],
        made: Callable[..., forms.Form],
        title: str,
        act: Callable[[Any], str],
    ) -> HttpResponse | None:
        """Show the form for those who were chosen; once it is sent and right, act on them."""
        form = made(request.POST) if "apply" in request.POST else made()
        if form.is_bound and form.is_valid():
            self.message_user(request, act(form))  # type: ignore[attr-defined]
            return None
        chosen = list(queryset.values_list("pk", "name"))
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": title,
            "form": form,
            "action": request.POST["action"],
            "checkbox": ACTION_CHECKBOX_NAME,
            "chosen": [pk for pk, _name in chosen],
            "names": [name for _pk, name in chosen[:_NAMED]],
            "others": max(0, len(chosen) - _NAMED),
            "people": getattr(form, "names", ()),
            "people_list": PEOPLE_LIST,
        }
        return TemplateResponse(request, "admin/people/several.html", context)
