"""Readers: each turns a node into the value its place wants, or says what is wrong with it.

A reader never raises: it adds to the findings and returns UNREAD, so that one run names everything that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from routing.rulebook.conditions import parse_flag, parse_integer
from routing.rulebook.errors import Findings, unknown
from routing.workspace_file.nodes import MappingNode, Node, Path, SequenceNode, TextNode, kind_of


class _Unread:
    def __repr__(self) -> str:
        return "UNREAD"


UNREAD: Any = _Unread()

Reader = Callable[[Node, Path, Findings], Any]


def text(check: Callable[[str], Any], *, may_be_empty: bool = False) -> Reader:
    """A text that `check` turns into its value; what its ValueError or ValidationError says is the fault."""

    def read(node: Node, path: Path, findings: Findings) -> Any:
        if not isinstance(node, TextNode):
            return _refuse(findings, path, _("expected a text, found %(kind)s") % {"kind": kind_of(node)})
        if not node.value.strip() and not (may_be_empty and not node.value):
            return _refuse(findings, path, _("the text is empty"))
        try:
            return check(node.value)
        except ValidationError as error:
            return _refuse(findings, path, " ".join(error.messages))
        except ValueError as error:
            return _refuse(findings, path, str(error))

    return read


def column(model: type[models.Model], name: str) -> Reader:
    """A text as the column takes it: its length and its validators, which the admin asks too."""
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)
    return text(lambda value: field.clean(value, None), may_be_empty=field.blank)


def one_of(choices: Iterable[str]) -> Reader:
    known = tuple(choices)

    def check(value: str) -> str:
        if value not in known:
            raise ValueError(unknown(_("value"), value, known))
        return value

    return text(check)


flag = text(parse_flag)


def integer(*, least: int, most: int) -> Reader:
    return text(lambda value: parse_integer(value, least=least, most=most))


def list_of(item: Reader, *, at_least: int = 0) -> Reader:
    """A list; members that cannot be read are left out."""

    def read(node: Node, path: Path, findings: Findings) -> Any:
        if not isinstance(node, SequenceNode):
            return _refuse(findings, path, _("expected a list, found %(kind)s") % {"kind": kind_of(node)})
        if len(node.members) < at_least:
            return _refuse(findings, path, _("the list is empty"))
        values = (read_value(item, member, (*path, place), findings) for place, member in enumerate(node.members))
        return [value for value in values if value is not UNREAD]

    return read


def set_of(item: Reader, *, at_least: int = 0) -> Reader:
    """A list in which a repeated value says nothing new. The order stays."""
    read_list = list_of(item, at_least=at_least)

    def read(node: Node, path: Path, findings: Findings) -> Any:
        values = read_list(node, path, findings)
        return values if values is UNREAD else list(dict.fromkeys(values))

    return read


def record(fields: Mapping[str, Reader], *, required: Iterable[str] = ()) -> Reader:
    """A mapping with these keys and no others; the value holds those that are given and could be read."""

    def read(node: Node, path: Path, findings: Findings) -> Any:
        if not isinstance(node, MappingNode):
            expected = {"keys": ", ".join(fields), "kind": kind_of(node)}
            return _refuse(findings, path, _("expected a mapping of %(keys)s; found %(kind)s") % expected)
        findings.refuse_unknown_keys(node.entries, fields, path)
        for key in required:
            if key not in node.entries:
                findings.add(path, _("%(key)r is missing") % {"key": key})
        values = {
            key: read_value(fields[key], entry.node, (*path, key), findings)
            for key, entry in node.entries.items()
            if key in fields
        }
        return {key: value for key, value in values.items() if value is not UNREAD}

    return read


def plain(node: Node, path: Path, findings: Findings) -> Any:
    """Lists, mappings and texts as they are, for a reader that knows more."""
    if isinstance(node, TextNode):
        return node.value
    if isinstance(node, SequenceNode):
        return list_of(plain)(node, path, findings)
    read = {key: read_value(plain, entry.node, (*path, key), findings) for key, entry in node.entries.items()}
    return {key: value for key, value in read.items() if value is not UNREAD}


def read_value(reader: Reader, node: Node, path: Path, findings: Findings) -> Any:
    # `rules:` with nothing after it could mean "no rules" as well as "leave them": ask.
    if isinstance(node, TextNode) and node.is_blank:
        return _refuse(findings, path, _("no value is given: write [] for an empty list, or remove the key"))
    return reader(node, path, findings)


def _refuse(findings: Findings, path: Path, message: str) -> Any:
    findings.add(path, message)
    return UNREAD
