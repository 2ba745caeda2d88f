"""A sheet of people, as a manager's spreadsheet program saves it: read, checked, and said row by row what it would do.

Nothing is written here. A person whom the sheet names by slug or e-mail address is changed in the columns that are
there and filled; everybody else is new.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents import plans
from agents.channels import CHANNELS
from agents.contacts import region_of_zone
from agents.models import Agent, Handle, Shift, ShiftKind, Workspace
from agents.models.agent import CAPS

MAX_BYTES = 1_000_000
MAX_ROWS = 2_000
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

ShiftRow = tuple[int, int, int, str]  # weekday, start and end in minutes, kind

_TEXTS = ("name", "title", "email", "timezone", "photo_url")
_LISTS = ("languages", "territories", "tags")
# Each channel's column is its id, but for e-mail: where notifications go need not be where visitors write to.
_HANDLES = {
    "email_handle" if channel.id == "email" else channel.id: channel.id
    for channel in CHANNELS.values()
    if channel.needs_handle
}
COLUMNS = ("slug", *_TEXTS, *_LISTS, "holidays", "active", *CAPS, "shifts", *_HANDLES)
_MODEL_NAMES = {"holidays": "holiday_calendar", "active": "is_active"}
_SHEET_NAMES = {model_name: name for name, model_name in _MODEL_NAMES.items()}
_TRUE = {"yes", "true", "1", "x"}
_FALSE = {"no", "false", "0"}
_SPAN = re.compile(
    r"(?P<days>[a-z]{3}(?:\s*[-,]\s*[a-z]{3})*)\s+(?P<start>[0-9]{1,2}:[0-9]{2})\s*[-–]\s*(?P<end>[0-9]{1,2}:[0-9]{2})"
    r"(?:\s+(?P<kind>on[ _-]call))?"
)
_DAY = gettext_lazy("Write days as mon, tue, wed, thu, fri, sat or sun; “%(day)s” is none.")


class SheetRefused(Exception):
    """The sheet as a whole cannot be read; the text says why, and what to do."""


@dataclass(slots=True)
class PersonRow:
    """One row of the sheet. `line` is the file's, the header being line 1; `errors` are pairs of column and sentence.

    `agent` is new or the stored one, with the sheet's values in its columns and not saved. `handles` by channel, and
    `shifts` where they are not None, are what differs from what is stored.
    """

    line: int
    agent: Agent
    changed: list[str] = field(default_factory=list)
    handles: dict[str, str] = field(default_factory=dict)
    shifts: list[ShiftRow] | None = None
    errors: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_new(self) -> bool:
        return self.agent._state.adding

    @property
    def does_something(self) -> bool:
        return self.is_new or bool(self.changed)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file would do. `problems` concern no single row."""

    rows: tuple[PersonRow, ...]
    problems: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        return not self.problems and not any(row.errors for row in self.rows)


def text_of(content: bytes) -> str:
    """Raises SheetRefused for what is no text in UTF-8, or is too much of it."""
    if len(content) > MAX_BYTES:
        raise SheetRefused(_("The file is larger than 1 MB. Split it."))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SheetRefused(_("The file is not text in UTF-8. Save it again as “CSV UTF-8”.")) from None


def read_sheet(text: str, *, workspace: Workspace) -> Sheet:
    """Read and check a sheet by four looks at the database, however long it is. Raises SheetRefused."""
    header, lines = _split(text)
    stored = _Stored.of(workspace)
    rows = []
    for line, cells in lines:
        rows.append(_read_row(line, dict(zip(header, cells, strict=False)), stored))
        if len(cells) > len(header):
            rows[-1].errors.append(("", _("This row has more cells than the header has columns.")))
    if not rows:
        raise SheetRefused(_("Below the header there is no row."))
    return Sheet(tuple(rows), tuple(_over_the_plan(workspace, rows)))


def _split(text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    if "\x00" in text:
        raise SheetRefused(_("The file is not text in UTF-8. Save it again as “CSV UTF-8”."))
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [_column_name(cell) for cell in next(reader, [])]
        _check_header(header)
        lines = []
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append((reader.line_num, cells))
            if len(lines) > MAX_ROWS:
                raise SheetRefused(_("The file has more than %(rows)d rows. Split it.") % {"rows": MAX_ROWS})
    except csv.Error as error:
        sentence = _("Line %(line)d cannot be read (%(error)s). Save the file again as “CSV UTF-8”.")
        raise SheetRefused(sentence % {"line": reader.line_num, "error": error}) from None
    return header, lines


def _column_name(cell: str) -> str:
    return re.sub(r"[\s-]+", "_", cell.strip().lower())


def _check_header(header: list[str]) -> None:
    if "name" not in header and "slug" not in header:
        raise SheetRefused(_("The first line names the columns, and “name” must be one of them."))
    for name in header:
        if name not in COLUMNS:
            raise SheetRefused(
                _("There is no column “%(name)s”. There are: %(columns)s.")
                % {"name": name, "columns": ", ".join(COLUMNS)}
            )
        if header.count(name) > 1:
            raise SheetRefused(_("The column “%(name)s” is there twice. Remove one.") % {"name": name})


@dataclass(slots=True)
class _Stored:
    """The workspace's people, and what earlier rows of the sheet took."""

    workspace: Workspace
    agents: dict[str, Agent]
    handles: dict[int, dict[str, str]]
    shifts: dict[int, list[ShiftRow]]
    region: str | None
    named: dict[str, int] = field(default_factory=dict)  # slug -> line

    @classmethod
    def of(cls, workspace: Workspace) -> _Stored:
        agents = {agent.slug: agent for agent in Agent.objects.for_workspace(workspace).order_by("id")}
        handles: dict[int, dict[str, str]] = {}
        for agent_id, channel, value in Handle.objects.for_workspace(workspace).values_list(
            "agent_id", "channel", "value"
        ):
            handles.setdefault(agent_id, {})[channel] = value
        shifts: dict[int, list[ShiftRow]] = {}
        for agent_id, *shift in Shift.objects.for_workspace(workspace).values_list(
            "agent_id", "weekday", "start_minute", "end_minute", "kind"
        ):
            shifts.setdefault(agent_id, []).append((shift[0], shift[1], shift[2], shift[3]))
        return cls(workspace, agents, handles, shifts, region_of_zone(workspace.timezone))

    def whom(self, said: dict[str, str]) -> Agent:
        """The person that a row is about, without changing anything. Raises ValidationError at a column."""
        if slug := said.get("slug"):
            return self.agents.get(slug) or Agent(workspace=self.workspace, slug=slug)
        email = said.get("email", "").lower()
        same = [agent for agent in self.agents.values() if email and agent.email.lower() == email]
        if len(same) > 1:
            raise ValidationError({"email": _("Several people have this address. Name the one by slug.")})
        if same:
            return same[0]
        name = said.get("name", "")
        for agent in self.agents.values():
            if name and agent.name.casefold() == name.casefold():
                sentence = _("There is a %(name)s already. To change them, write %(slug)s in a column “slug”.")
                raise ValidationError({"name": sentence % {"name": agent.name, "slug": agent.slug}})
        wanted = slugify(name)[:44] or "agent"
        taken = self.agents.keys() | self.named.keys()
        free = (wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3)))
        return Agent(workspace=self.workspace, slug=next(slug for slug in free if slug not in taken))


def _read_row(line: int, cells: dict[str, str], stored: _Stored) -> PersonRow:
    said = {name: text.strip() for name, text in cells.items() if text.strip()}
    try:
        agent = stored.whom(said)
    except ValidationError as error:
        agent = Agent(workspace=stored.workspace, name=said.get("name", ""))
        return PersonRow(line, agent, errors=list(_sentences(error)))
    row = PersonRow(line, agent)
    before = stored.named.setdefault(agent.slug, line)
    if before != line:
        row.errors.append(("", _("Line %(line)d is about the same person. Keep one.") % {"line": before}))
    for name, text in said.items():
        if name == "slug":
            continue
        try:
            _READERS.get(name, _read_handle)(row, name, text, stored)
        except ValidationError as error:
            row.errors += [(name, sentence) for sentence in error.messages]
        except ValueError as error:
            row.errors.append((name, str(error)))
    _check_agent(row)
    return row


def _set(row: PersonRow, name: str, value: Any) -> None:
    column = _MODEL_NAMES.get(name, name)
    if row.is_new or getattr(row.agent, column) != value:
        setattr(row.agent, column, value)
        row.changed.append(name)


def _read_text(row: PersonRow, name: str, text: str, stored: _Stored) -> None:
    _set(row, name, text)


def _read_list(row: PersonRow, name: str, text: str, stored: _Stored) -> None:
    words = [word.strip() for word in re.split(r"[,;|]", text) if word.strip()]
    before = getattr(row.agent, name)
    # Compared in the normal form that `clean` gives them.
    probe = Agent(**{name: words}, is_active=False, timezone="")
    try:
        probe.clean()
    except ValidationError as error:
        raise ValidationError(error.message_dict[name]) from None
    if before != getattr(probe, name):
        _set(row, name, getattr(probe, name))


def _read_active(row: PersonRow, name: str, text: str, stored: _Stored) -> None:
    if text.lower() not in _TRUE | _FALSE:
        raise ValidationError(_("Write yes or no."))
    _set(row, name, text.lower() in _TRUE)


def _read_cap(row: PersonRow, name: str, text: str, stored: _Stored) -> None:
    if not re.fullmatch(r"[0-9]{1,7}", text):
        raise ValidationError(_("Write a whole number such as 20, or nothing for no cap."))
    _set(row, name, int(text))


def _read_shifts(row: PersonRow, name: str, text: str, stored: _Stored) -> None:
    shifts = sorted(set(shifts_of(text)))
    if shifts != sorted(stored.shifts.get(row.agent.pk or 0, [])):
        row.shifts = shifts
        row.changed.append(name)


def _read_handle(row: PersonRow, name: str, text: str, stored: _Stored) -> None:
    channel = _HANDLES[name]
    value = CHANNELS[channel].normalise(text, region=stored.region)
    if stored.handles.get(row.agent.pk or 0, {}).get(channel) != value:
        row.handles[channel] = value
        row.changed.append(name)


_READERS: dict[str, Callable[[PersonRow, str, str, _Stored], None]] = {
    **dict.fromkeys((*_TEXTS, "holidays"), _read_text),
    **dict.fromkeys(_LISTS, _read_list),
    **dict.fromkeys(CAPS, _read_cap),
    "active": _read_active,
    "shifts": _read_shifts,
}


def shifts_of(text: str) -> Iterator[ShiftRow]:
    """`mon-fri 09:00-18:00; fri 22:00-06:00 on call` as weekday, start, end and kind. Raises ValidationError."""
    for part in filter(None, (part.strip() for part in re.split(r"[;|\n]", text.lower()))):
        read = _SPAN.fullmatch(part)
        if read is None:
            sentence = _("Write shifts like mon-fri 09:00-18:00; fri 22:00-06:00 on call. “%(part)s” is none.")
            raise ValidationError(sentence % {"part": part})
        kind = ShiftKind.ON_CALL if read["kind"] else ShiftKind.REGULAR
        for weekday in _days_of(read["days"]):
            shift = Shift(
                weekday=weekday, start_minute=_minute(read["start"]), end_minute=_minute(read["end"]), kind=kind
            )
            try:
                shift.clean()
            except ValidationError as error:
                raise ValidationError([f"{part}: {sentence}" for sentence in error.messages]) from None
            yield weekday, shift.start_minute, shift.end_minute, kind.value


def _days_of(text: str) -> Iterator[int]:
    for part in text.split(","):
        ends = [day.strip() for day in part.split("-")]
        for day in ends:
            if day not in DAYS:
                raise ValidationError(_DAY % {"day": day})
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        yield from ((first + step) % 7 for step in range((last - first) % 7 + 1))


def _minute(text: str) -> int:
    hour, minute = map(int, text.split(":"))
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        raise ValidationError(_("There is no time %(time)s. Write one from 00:00 to 24:00.") % {"time": text})
    return hour * 60 + minute


def _check_agent(row: PersonRow) -> None:
    """Everything that the person's own form would check, without asking the database once a row."""
    agent = row.agent
    probe = Agent(
        **{f.attname: getattr(agent, f.attname) for f in Agent._meta.concrete_fields if not f.primary_key},
    )
    probe.is_active = False  # the plan is asked once, for all rows together
    try:
        probe.full_clean(exclude={"workspace", "user"}, validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        known = {name for name, _sentence in row.errors}
        row.errors += [(name, sentence) for name, sentence in _sentences(error) if name not in known]


def _sentences(error: ValidationError) -> Iterator[tuple[str, str]]:
    for name, found in error.message_dict.items():
        for sentence in found:
            yield _SHEET_NAMES.get(name, name), sentence


def _over_the_plan(workspace: Workspace, rows: list[PersonRow]) -> Iterator[str]:
    was_active = dict(Agent.objects.for_workspace(workspace).values_list("pk", "is_active"))
    extra = sum(row.agent.is_active - was_active.get(row.agent.pk or 0, False) for row in rows)
    checks: list[Callable[[], None]] = []
    if extra > 0:
        checks.append(lambda: plans.check_active_agents(workspace, extra=extra))
    if any(name in CAPS for row in rows for name in row.changed):
        checks.append(lambda: plans.check_feature(workspace.plan, "caps"))
    for check in checks:
        try:
            check()
        except ValidationError as error:
            yield from error.messages
