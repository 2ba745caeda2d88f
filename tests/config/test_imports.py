"""The engine is a calculation: what it may import is listed here, and everything else is the world."""

import ast
from pathlib import Path

import pytest

ENGINE = Path(__file__).resolve().parents[2] / "routing" / "engine"
# What only calculates.
ALLOWED = {
    *("__future__", "abc", "array", "bisect", "calendar", "collections", "contextlib", "copy", "dataclasses"),
    *("datetime", "decimal", "enum", "fractions", "functools", "heapq", "itertools", "math", "operator", "re", "re2"),
    *("statistics", "string", "struct", "types", "typing", "unicodedata", "zoneinfo"),
}


def imported(source):
    """The modules that a file names, in full; relative ones would hide where they lead."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def foreign(source):
    return [name for name in imported(source) if f"{name}.".split(".")[0] not in ALLOWED and not is_engine(name)]


def is_engine(name):
    return f"{name}.".startswith("routing.engine.")


@pytest.mark.parametrize("path", sorted(ENGINE.rglob("*.py")), ids=lambda path: path.stem)
def test_the_engine_touches_nothing_of_the_world(path):
    source = path.read_text()

    assert foreign(source) == []
    assert not {"now", "today", "utcnow"} & {
        node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)
    }


@pytest.mark.parametrize(
    "line",
    ["import random", "from time import time", "import os.path", "from routing.facts import build_facts",
     "from agents.models import Agent", "from routing import snapshots", "from . import clock"],
)  # fmt: skip
def test_a_forbidden_import_is_noticed(line):
    assert foreign(line)
