"""Writing a sheet of people, in one change of the roster."""

from __future__ import annotations

from dataclasses import dataclass

from agents.models import Agent, Handle, Shift, Workspace
from agents.people_sheet import PersonRow, Sheet, read_sheet
from agents.roster import one_change


class SheetChanged(Exception):
    """Between the preview and now the sheet stopped being good: `sheet` says how. Nothing was written."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__("the sheet is not good any more")
        self.sheet = sheet


@dataclass(frozen=True, slots=True)
class Imported:
    added: int
    changed: int


def import_people(*, workspace: Workspace, text: str) -> Imported:
    """Read the sheet again, by the roster as it is now, and write all of it or nothing.

    Raises SheetChanged, and SheetRefused as `read_sheet`.
    """
    with one_change() as change:
        change.lock({workspace.pk})
        sheet = read_sheet(text, workspace=workspace)
        if not sheet.is_good:
            raise SheetChanged(sheet)
        rows = [row for row in sheet.rows if row.does_something]
        new = [row for row in rows if row.is_new]
        old = [row for row in rows if not row.is_new]
        Agent.objects.bulk_create([row.agent for row in new], batch_size=500)
        columns = [
            field.name
            for field in Agent._meta.concrete_fields
            if field.name not in ("id", "workspace", "slug", "user", "created_at")
        ]
        Agent.objects.bulk_update([row.agent for row in old], columns, batch_size=200)
        _write_handles(workspace, rows)
        _write_shifts(workspace, rows)
    return Imported(added=len(new), changed=len(old))


def _write_handles(workspace: Workspace, rows: list[PersonRow]) -> None:
    wanted = {(row.agent.pk, channel): value for row in rows for channel, value in row.handles.items()}
    stored = Handle.objects.for_workspace(workspace).filter(agent__in=[row.agent.pk for row in rows])
    changed = []
    for handle in stored.order_by("id"):
        value = wanted.pop((handle.agent_id, handle.channel), None)
        if value is not None:
            handle.value = value
            changed.append(handle)
    Handle.objects.bulk_update(changed, ["value"], batch_size=500)
    new = [
        Handle(workspace=workspace, agent_id=agent_id, channel=channel, value=value)
        for (agent_id, channel), value in wanted.items()
    ]
    Handle.objects.bulk_create(new, batch_size=500)


def _write_shifts(workspace: Workspace, rows: list[PersonRow]) -> None:
    changed = [row for row in rows if row.shifts is not None]
    Shift.objects.for_workspace(workspace).filter(agent__in=[row.agent.pk for row in changed]).delete()
    new = [
        Shift(workspace=workspace, agent=row.agent, weekday=weekday, start_minute=start, end_minute=end, kind=kind)
        for row in changed
        for weekday, start, end, kind in row.shifts or ()
    ]
    Shift.objects.bulk_create(new, batch_size=500)
