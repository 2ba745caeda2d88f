"""Importing people from a sheet: choose a file, see what it would do, then let it."""

from __future__ import annotations

import csv
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action

from agents.importing import SheetChanged, import_people
from agents.people_sheet import COLUMNS, PersonRow, SheetRefused, read_sheet, text_of

_EXAMPLE = {
    "name": "Marta Ruiz",
    "email": "marta@example.com",
    "timezone": "Europe/Madrid",
    "languages": "es, en",
    "territories": "ES, PT",
    "tags": "senior",
    "active": "yes",
    "cap_open": "20",
    "shifts": "mon-fri 09:00-18:00; fri 22:00-06:00 on call",
    "whatsapp": "+34600111222",
}


class PeopleImport:
    """Adds the page to the list of agents: stands in front of the admin class whose pages it joins."""

    actions_list = ("import_people",)

    @action(description=gettext_lazy("Import people"), url_path="import/", icon="upload", permissions=["add"])
    def import_people(self, request: Any) -> HttpResponse:
        if request.method != "POST":
            return _example() if "example" in request.GET else self._import_page(request)
        try:
            text = self._sheet_of(request)
            if "import" in request.POST:
                done = import_people(workspace=request.workspace, text=text)
                messages.success(request, _said(done.added, done.changed))
                return redirect("admin:agents_agent_changelist")
            sheet = read_sheet(text, workspace=request.workspace)
        except SheetRefused as refusal:
            return self._import_page(request, refused=str(refusal))
        except SheetChanged as changed:
            sheet = changed.sheet
        shown = [_Shown(row) for row in sheet.rows]
        context = {"sheet": sheet, "rows": shown, "text": text, "wrong": sum(bool(row.errors) for row in shown)}
        return self._import_page(request, **context)

    def _sheet_of(self, request: HttpRequest) -> str:
        """What the preview carries along, or the file that was chosen. Raises SheetRefused."""
        if "import" in request.POST:
            return text_of(request.POST.get("sheet", "").encode())
        file: Any = request.FILES.get("file")
        if file is None:
            raise SheetRefused(_("Choose a file first."))
        return text_of(file.read())

    def _import_page(self, request: HttpRequest, **context: Any) -> HttpResponse:
        site = self.admin_site.each_context(request)  # type: ignore[attr-defined]
        page = {**site, "title": _("Import people"), "columns": COLUMNS, **context}
        return TemplateResponse(request, "admin/people_import.html", page)


class _Shown:
    """A row as the preview says it."""

    def __init__(self, row: PersonRow) -> None:
        self.line = row.line
        self.name = row.agent.name or row.agent.slug
        self.errors = row.errors
        if row.errors:
            self.state, self.will = "wrong", _("Mend this first")
        elif row.is_new:
            self.state, self.will = "new", _("Is added, as %(slug)s") % {"slug": row.agent.slug}
        elif row.changed:
            self.state, self.will = "changed", _("Changes: %(columns)s") % {"columns": ", ".join(row.changed)}
        else:
            self.state, self.will = "same", _("Stays as it is")


def _said(added: int, changed: int) -> str:
    parts = [
        ngettext("Added %d person.", "Added %d people.", added) % added if added else "",
        ngettext("Changed %d person.", "Changed %d people.", changed) % changed if changed else "",
    ]
    return " ".join(filter(None, parts)) or _("Everybody was like that already: nothing was changed.")


def _example() -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="people.csv"'
    response.write("\ufeff")  # without it, spreadsheet programs take it for another encoding
    columns = [name for name in COLUMNS if name in _EXAMPLE]
    csv.writer(response).writerows([columns, [_EXAMPLE[name] for name in columns]])
    return response
