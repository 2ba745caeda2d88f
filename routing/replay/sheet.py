"""The leads to replay: a CSV file, checked as a whole before anything is routed."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import BinaryIO, NamedTuple

from django.utils.translation import gettext as _

from routing.engine.conditions import ATTRIBUTE_PREFIX
from routing.rulebook import codes
from routing.rulebook.errors import did_you_mean

REQUIRED = ("id", "received_at")
CONTACTS = ("email", "phone", "visitor_id")
TEXTS = ("city", "page_url", "referrer", "message")
CODES: Mapping[str, Callable[[str], str]] = {
    name: lru_cache(maxsize=4096)(codes.READERS[name]) for name in ("channel", "source", "country", "region")
} | {"language": lru_cache(maxsize=4096)(codes.language)}
COLUMNS = (*REQUIRED, *CODES, *TEXTS, *CONTACTS, "closed_at")

MOST_PROBLEMS = 20
_FIRST_YEAR, _LAST_YEAR = 1970, 2199  # what zones and calendars are computed for


class Problem(NamedTuple):
    """What is wrong, and on which line, counted from 1."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.line}: {' '.join(self.message.split())}"


class BadSheet(Exception):
    """The file is refused. `problems` are in the order of their lines, the first few of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(map(str, self.problems)))


class _Enough(Exception):
    """No more problems are wanted."""


class _Findings:
    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, line: int, message: str) -> None:
        self.problems.append(Problem(line, message))
        if len(self.problems) == MOST_PROBLEMS:
            raise _Enough

    def refuse(self) -> BadSheet:
        return BadSheet(sorted(self.problems, key=lambda problem: problem.line))


class Sheet:
    """A CSV file with a header, read as often as wanted. Checked by `check` first: the other reads trust it."""

    def __init__(self, file: BinaryIO) -> None:
        """`file` can be read from its start again and again."""
        self._file = file
        self.header: tuple[str, ...] = ()

    def check(self) -> int:
        """The number of leads. Raises BadSheet."""
        findings = _Findings()
        try:
            count = self._check(findings)
        except _Enough:
            raise findings.refuse() from None
        if findings.problems:
            raise findings.refuse()
        return count

    def rows(self) -> Iterator[list[str]]:
        """The cells of each lead, in order."""
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, "utf-8-sig", newline="\n")
        try:
            rows = csv.reader(text, strict=True)
            next(rows)
            yield from filter(None, rows)
        finally:
            text.detach()  # which would close the file else

    def _check(self, findings: _Findings) -> int:
        reader = csv.reader(self._lines(findings), strict=True)
        line, count, check = 1, 0, None
        try:
            for cells in reader:
                if check is None:
                    self.header = tuple(cells)
                    if not _check_header(self.header, findings):
                        return 0
                    check = _RowCheck(self.header, findings)
                elif cells:
                    check.row(line, cells)
                    count += 1
                line = reader.line_num + 1
        except csv.Error as error:
            findings.add(line, _("not CSV: %(error)s") % {"error": error})
        if check is None and not findings.problems:
            findings.add(1, _("the file is empty: its first line names the columns, such as id,received_at,country"))
        return count

    def _lines(self, findings: _Findings) -> Iterator[str]:
        self._file.seek(0)
        for number, raw in enumerate(self._file, 1):
            try:
                line = raw.decode()
            except UnicodeDecodeError as error:
                findings.add(number, _("not UTF-8 text (byte 0x%(byte)02x)") % {"byte": raw[error.start]})
                line = raw.decode(errors="replace")
            if "\0" in line:
                findings.add(number, _("the line holds a NUL"))
                line = line.replace("\0", "")
            yield line.removeprefix("\ufeff") if number == 1 else line


def _check_header(header: Sequence[str], findings: _Findings) -> bool:
    before = len(findings.problems)
    for position, name in enumerate(header):
        if name not in COLUMNS and not (name.startswith(ATTRIBUTE_PREFIX) and name != ATTRIBUTE_PREFIX):
            near = did_you_mean(name, COLUMNS)
            findings.add(1, _("unknown column %(name)r") % {"name": name} + near)
        elif name in header[:position]:
            findings.add(1, _("column %(name)r stands twice") % {"name": name})
    for name in REQUIRED:
        if name not in header:
            findings.add(1, _("there is no column %(name)r") % {"name": name})
    return len(findings.problems) == before


class _RowCheck:
    """What is wrong with rows, by themselves and after each other."""

    def __init__(self, header: Sequence[str], findings: _Findings) -> None:
        self._findings = findings
        self._width = len(header)
        self._id, self._received_at = header.index("id"), header.index("received_at")
        self._closed_at = header.index("closed_at") if "closed_at" in header else None
        self._codes = [(header.index(name), name, read) for name, read in CODES.items() if name in header]
        # Digests and not the ids themselves, which may be long.
        self._lines_of_ids: dict[bytes, int] = {}
        self._last: datetime | None = None

    def row(self, line: int, cells: list[str]) -> None:
        if len(cells) != self._width:
            message = _("%(found)s cells, where the header has %(expected)s")
            self._findings.add(line, message % {"found": len(cells), "expected": self._width})
            return
        self._check_id(line, cells[self._id])
        received_at = self._instant(line, "received_at", cells[self._received_at])
        if received_at is not None:
            if self._last is not None and received_at < self._last:
                self._findings.add(line, _("received_at is before that of the row above: sort the rows by time"))
            else:
                self._last = received_at
        if self._closed_at is not None and cells[self._closed_at].strip():
            closed_at = self._instant(line, "closed_at", cells[self._closed_at])
            if closed_at is not None and received_at is not None and closed_at < received_at:
                self._findings.add(line, _("closed_at is before received_at"))
        for position, name, read in self._codes:
            if cells[position].strip():
                try:
                    read(cells[position])
                except ValueError as error:
                    self._findings.add(line, f"{name}: {error}")

    def _check_id(self, line: int, text: str) -> None:
        if not text.strip():
            self._findings.add(line, _("id is empty"))
            return
        first = self._lines_of_ids.setdefault(hashlib.blake2b(text.encode(), digest_size=16).digest(), line)
        if first != line:
            self._findings.add(line, _("id %(id)r is repeated (first on line %(line)s)") % {"id": text, "line": first})

    def _instant(self, line: int, name: str, text: str) -> datetime | None:
        try:
            return instant(text)
        except ValueError as error:
            self._findings.add(line, f"{name}: {error}")
            return None


def instant(text: str) -> datetime:
    """An instant in ISO 8601 with its offset. Raises ValueError with a sentence."""
    example = "2026-03-02T10:00:00+01:00"
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        message = _("%(text)r is no instant: write one like %(example)s")
        raise ValueError(message % {"text": text, "example": example}) from None
    if at.tzinfo is None:
        message = _("%(text)r has no offset from UTC: write one like %(example)s")
        raise ValueError(message % {"text": text, "example": example})
    if not _FIRST_YEAR < at.year < _LAST_YEAR:
        message = _("%(text)r is not between %(first)s and %(last)s")
        raise ValueError(message % {"text": text, "first": _FIRST_YEAR, "last": _LAST_YEAR})
    return at
