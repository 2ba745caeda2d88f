"""YAML as text with places: every scalar stays the text that stands in the file, and knows its line.

Built from the parser's events, not by a composer: libyaml's composer recurses in C, so that a file of a
hundred thousand open brackets would end the process instead of being refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import yaml
from django.utils.translation import gettext as _

from routing.rulebook.errors import Path, format_path

# Resolves no scalar to anything but text. The pure Python parser is only there for platforms without libyaml.
_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 32
# Counts what an alias stands for each time, so that nine lines of aliases cannot stand for a billion values.
MAX_NODES = 1_500_000

_YAML_TAGS = "tag:yaml.org,2002:"
_TEXT_TAG = f"{_YAML_TAGS}str"


class Problem(NamedTuple):
    """What is wrong, and where. `path` is empty where the file as a whole is meant; lines count from 1."""

    line: int
    path: Path
    message: str

    def __str__(self) -> str:
        place = format_path(self.path)
        told = f"{place}: {self.message}" if place else self.message
        # On one line, whatever the file's texts hold.
        return f"{self.line}: {' '.join(told.split())}"


class BadFile(Exception):
    """The file is refused, and nothing was changed. `problems` are in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line)
        super().__init__("; ".join(map(str, self.problems)))


@dataclass(slots=True)
class TextNode:
    """`is_blank`: nothing is written there, not even an empty text in quotes."""

    value: str
    line: int
    is_blank: bool = False
    size: int = 1


@dataclass(slots=True)
class SequenceNode:
    line: int
    members: list[Node] = field(default_factory=list)
    size: int = 1


class Entry(NamedTuple):
    line: int
    node: Node


@dataclass(slots=True)
class MappingNode:
    line: int
    entries: dict[str, Entry] = field(default_factory=dict)
    size: int = 1


Node = TextNode | SequenceNode | MappingNode


def kind_of(node: Node) -> str:
    match node:
        case TextNode():
            return _("a text")
        case SequenceNode():
            return _("a list")
    return _("a mapping")


def line_of(root: Node, path: Path) -> int:
    """The line where the path leads, or of its last step that exists: a missing key has no line."""
    line, node = root.line, root
    for step in path:
        if isinstance(node, MappingNode) and step in node.entries:
            line, node = node.entries[str(step)]
            if isinstance(node, TextNode):
                line = node.line
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.members):
            node = node.members[step]
            line = node.line
        else:
            break
    return line


def read(raw: bytes) -> MappingNode:
    """The file's one document. Raises BadFile with everything found up to the first error of syntax."""
    text = _decode(raw)
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = ", ".join(part for part in (error.context, error.problem) if part)
        builder.problems.append(
            Problem(mark.line + 1 if mark else 1, (), _("not YAML: %(message)s") % {"message": message})
        )
    root = builder.root
    if builder.problems:
        raise BadFile(builder.problems)
    if root is None or (isinstance(root, TextNode) and root.is_blank):
        raise BadFile([Problem(1, (), _("the file is empty"))])
    if not isinstance(root, MappingNode):
        raise BadFile(
            [
                Problem(
                    root.line, (), _("expected sections such as `workspace:`, found %(kind)s") % {"kind": kind_of(root)}
                )
            ]
        )
    return root


def _no_tag(tag: str) -> str:
    return _("tag %(tag)s is not read here: remove it") % {"tag": tag.replace(_YAML_TAGS, "!!")}


def _decode(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise BadFile([Problem(1, (), _("the file is larger than %(most)s MiB") % {"most": MAX_BYTES // 1024 // 1024})])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadFile(
            [Problem(line, (), _("not UTF-8 text (byte 0x%(byte)02x)") % {"byte": raw[error.start]})]
        ) from None
    # Both parsers would refuse these too, but only with a position, and libyaml's counts bytes.
    if control := yaml.reader.Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, control.start()) + 1
        raise BadFile(
            [Problem(line, (), _("control character U+%(code)04X in the text") % {"code": ord(control.group())})]
        )
    return text


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    node: SequenceNode | MappingNode
    anchor: str | None
    path: Path
    key: TextNode | None = None

    @property
    def wants_key(self) -> bool:
        return isinstance(self.node, MappingNode) and self.key is None


class _Builder:
    """Nodes from parser events. Collects what is refused though it is YAML; raises BadFile where it cannot go on."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._size = 0

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1
        match event:
            case yaml.DocumentStartEvent() if self.root is not None:
                raise self._refused(line, _("a second document begins here; a file holds one workspace"))
            case yaml.ScalarEvent():
                self._check_scalar(event, line)
                is_blank = event.value == "" and event.style in (None, "")
                self._close(TextNode(event.value, line, is_blank), event.anchor, line)
            case yaml.SequenceStartEvent():
                self._open(SequenceNode(line), event, line)
            case yaml.MappingStartEvent():
                self._open(MappingNode(line), event, line)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                closed = self._stack.pop()
                self._close(closed.node, closed.anchor, line)
            case yaml.AliasEvent():
                if event.anchor not in self._anchors:
                    raise self._refused(
                        line, _("alias *%(name)s names nothing that ends before it") % {"name": event.anchor}
                    )
                node = self._anchors[event.anchor]
                self._grow(node.size, line)
                self._put(node, line)

    def _open(self, node: SequenceNode | MappingNode, event: yaml.CollectionStartEvent, line: int) -> None:
        if self._stack and self._stack[-1].wants_key:
            raise self._refused(line, _("expected a name as the key, found %(kind)s") % {"kind": kind_of(node)})
        if len(self._stack) == MAX_DEPTH:
            raise self._refused(line, _("nested deeper than %(most)s levels") % {"most": MAX_DEPTH})
        if event.tag:
            self._complain(line, _no_tag(event.tag))
        self._stack.append(_Open(node, event.anchor, self._here()))

    def _close(self, node: Node, anchor: str | None, line: int) -> None:
        if anchor:
            self._anchors[anchor] = node
        self._grow(1, line)
        self._put(node, line)

    def _put(self, node: Node, line: int) -> None:
        if not self._stack:
            self.root = node
            return
        parent = self._stack[-1]
        if isinstance(parent.node, SequenceNode):
            parent.node.members.append(node)
        elif parent.key is None:
            if not isinstance(node, TextNode):
                raise self._refused(line, _("expected a name as the key, found %(kind)s") % {"kind": kind_of(node)})
            if node.value in parent.node.entries:
                first = parent.node.entries[node.value].line
                self._complain(
                    line, _("key %(key)r stands twice (first on line %(line)s)") % {"key": node.value, "line": first}
                )
            parent.key = TextNode(node.value, line)
            return
        else:
            parent.node.entries.setdefault(parent.key.value, Entry(parent.key.line, node))
            parent.key = None
        parent.node.size += node.size

    def _grow(self, size: int, line: int) -> None:
        self._size += size
        if self._size > MAX_NODES:
            raise self._refused(line, _("more than %(most)s values") % {"most": MAX_NODES})

    def _check_scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        if event.tag and event.tag not in ("!", _TEXT_TAG):
            self._complain(line, _no_tag(event.tag))
        # Escapes in quotes can make what no database keeps.
        if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in event.value):
            self._complain(line, _("the text holds a NUL or half a character"))

    def _here(self) -> Path:
        """Where the next value will stand."""
        if not self._stack:
            return ()
        parent = self._stack[-1]
        if isinstance(parent.node, SequenceNode):
            return (*parent.path, len(parent.node.members))
        return (*parent.path, parent.key.value) if parent.key else parent.path

    def _complain(self, line: int, message: str) -> None:
        self.problems.append(Problem(line, self._here(), message))

    def _refused(self, line: int, message: str) -> BadFile:
        self._complain(line, message)
        return BadFile(self.problems)
