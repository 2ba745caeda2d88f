"""Reading YAML: texts with their lines, and what is refused before anything is understood."""

import pytest

from routing.workspace_file.nodes import BadFile, MappingNode, TextNode, line_of, read


def texts(node):
    """The node as plain lists, mappings and texts."""
    if isinstance(node, TextNode):
        return node.value
    if isinstance(node, MappingNode):
        return {key: texts(entry.node) for key, entry in node.entries.items()}
    return [texts(member) for member in node.members]


def problems(raw):
    with pytest.raises(BadFile) as refused:
        read(raw if isinstance(raw, bytes) else raw.encode())
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize(
    "scalar", ["NO", "18:00", "+34600111222", "007", "on", "null", "~", "1e3", "2026-08-01", "0x1F"]
)
@pytest.mark.parametrize("quotes", ["", "'", '"'])
def test_scalars_stay_the_text_that_is_written(scalar, quotes):
    assert texts(read(f"a: {quotes}{scalar}{quotes}\n".encode())) == {"a": scalar}


def test_keys_are_texts_too():
    assert texts(read(b"{on: a, 18:00: b, 007: c}")) == {"on": "a", "18:00": "b", "007": "c"}


def test_nothing_written_is_told_from_an_empty_text():
    root = read(b"a:\nb: ''\n")

    assert root.entries["a"].node.is_blank
    assert not root.entries["b"].node.is_blank


def test_every_place_knows_its_line():
    root = read(b"a:\n  - b: 1\n    c:\n      - 2\n      - 3\nd: 4\n")

    assert line_of(root, ("a",)) == 1
    assert line_of(root, ("a", 0)) == 2
    assert line_of(root, ("a", 0, "c")) == 3
    assert line_of(root, ("a", 0, "c", 1)) == 5
    assert line_of(root, ("d",)) == 6


def test_what_is_missing_has_the_line_of_where_it_is_missing():
    root = read(b"# a comment\na:\n  - b: 1\n")

    assert line_of(root, ("a", 0, "name")) == 3
    assert line_of(root, ("a", 7, "name")) == 2
    assert line_of(root, ("z",)) == 2


def test_an_alias_stands_for_what_it_names():
    assert texts(read(b"a: &hours [x, y]\nb: *hours\n")) == {"a": ["x", "y"], "b": ["x", "y"]}


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert texts(read(b"\xef\xbb\xbfa: 1\n")) == {"a": "1"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "1: the file is empty"),
        ("# nothing\n", "1: the file is empty"),
        ("- a\n", "1: expected sections such as `workspace:`, found a list"),
        ("a: 1\n---\nb: 2\n", "2: a second document begins here; a file holds one workspace"),
        ("a: 1\nb: {c: 1, c: 2}\n", "2: b: key 'c' stands twice (first on line 2)"),
        ("a:\n  - b: 1\n    b: 2\n", "3: a[0]: key 'b' stands twice (first on line 2)"),
        ("a:\n  b: !!int 5\n", "2: a.b: tag !!int is not read here: remove it"),
        ("a: !python/object:os.system [x]\n", "1: a: tag !python/object:os.system is not read here: remove it"),
        ("a: *nobody\n", "1: a: alias *nobody names nothing that ends before it"),
        ("a: &loop [*loop]\n", "1: a[0]: alias *loop names nothing that ends before it"),
        ("? [a]\n: b\n", "1: expected a name as the key, found a list"),
        ('a: 1\nb: "\\0"\n', "2: b: the text holds a NUL or half a character"),
        ("a: 1\nb: \x07\n", "2: control character U+0007 in the text"),
    ],
)
def test_what_is_no_workspace_file_is_refused_at_its_line(text, fault):
    assert problems(text) == [fault]


@pytest.mark.parametrize(
    ("text", "line"), [("a: [1\nb: }\n", 2), ("a: 1\n\tb: 2\n", 2), ("a: 'x\n", 1), ("a: b: c\n", 1)]
)
def test_what_is_no_yaml_is_refused_at_its_line(text, line):
    (fault,) = problems(text)

    assert fault.split(": ")[1] == "not YAML"
    assert abs(int(fault.split(":")[0]) - line) <= 1


def test_bytes_that_are_no_text_are_refused_at_their_line():
    assert problems(b"a: 1\nb: \xff\n") == ["2: not UTF-8 text (byte 0xff)"]


def test_every_repeated_key_is_told_at_once():
    assert len(problems("a: {b: 1, b: 2}\nc: {d: 1, d: 2}\nc: 3\n")) == 3


def test_ten_lines_of_aliases_cannot_stand_for_a_billion_values():
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join(['*' + before] * 10)}]")

    (fault,) = problems("\n".join(lines))

    assert fault.endswith("more than 1500000 values")


def test_a_million_open_brackets_do_not_end_the_process():
    (fault,) = problems("a: " + "[" * 1_000_000)

    assert fault.endswith("nested deeper than 32 levels")


def test_a_file_that_is_too_large_is_not_parsed():
    assert problems(b"a" * (16 * 1024 * 1024 + 1)) == ["1: the file is larger than 16 MiB"]
