import io
import json
from types import SimpleNamespace

import pytest
from rest_framework.exceptions import ParseError

from widget.json_bodies import MOST_BYTES, BodyTooLarge, BoundedJSONParser


def parse(raw: bytes):
    request = SimpleNamespace()
    value = BoundedJSONParser().parse(io.BytesIO(raw), "application/json", {"request": request})
    assert request.raw_body == raw
    return value


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": "\xc3\xb1", "b": [1, 2.5, true, null]}', {"a": "ñ", "b": [1, 2.5, True, None]}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        (nested(5), {"a": {"a": {"a": {"a": {"a": 1}}}}}),
        (json.dumps({"a": "x" * (MOST_BYTES - 9)}).encode(), {"a": "x" * (MOST_BYTES - 9)}),
    ],
)
def test_takes_json(raw, value):
    assert parse(raw) == value


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"null", "no JSON object"),
        (b"[]", "no JSON object"),
        (b'"a"', "no JSON object"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (nested(6), "5 levels"),
        (b'{"a": ' + b"[" * 5 + b"]" * 5 + b"}", "5 levels"),
        (b"[" * 30_000, "5 levels|not JSON"),
        (b'{"a": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", "5 levels"),
        (b'{"a": "x\\u0000"}', "NUL"),
        (b'{"a\\u0000": 1}', "NUL"),
        (b'{"a": ["\\ud800"]}', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'{"a": "\x00"}', "not JSON"),
    ],
)
def test_refuses_what_cannot_be_stored_or_shown(raw, says):
    with pytest.raises(ParseError, match=says):
        parse(raw)


def test_refuses_more_than_64_kb():
    with pytest.raises(BodyTooLarge):
        parse(json.dumps({"a": "x" * (MOST_BYTES - 8)}).encode())
