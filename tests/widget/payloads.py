"""Submissions as nobody should send them. A seed makes the same ones again."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

TEXTS = (
    "", " ", "Hola, ¿tienen plan para equipos?", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>",
    "'; DROP TABLE leads_lead; --", "=HYPERLINK(\"https://evil.test\")", "%s %d %(x)s {0} {x} ${x}", "\u202eevil\u202c",
    "e\u0301\u0327\u0338", "👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿", "نص عربي", "𝕱𝖚𝖟𝖟", "\ufeff\u200b\u200d", "a\r\nBcc: all@evil.test",
    "\t\v\f\x1b[31m",
    "\x7f\x80\x9f", "../../../etc/passwd", "javascript:alert(1)", "\\", "\\u0000", "null", "NaN", "-0", "1e309",
    "ﬃ", "İstanbul", "ß", "\u2028\u2029", "x" * 300, "ñ" * 9_000, "😀" * 5_000, "a" * 20_000, "a" * 20_001,
)  # fmt: skip
# By field; the first one is as it should be.
KNOWN = {
    "channel": ("form", "whatsapp", "email", "telegram", "FORM", "skype", "form ", "phone"),
    "visitor_id": ("v1", "v2", "V1", "0", "x" * 128, "x" * 129),
    "language": ("es", "en-GB", "zh-Hant-TW", "x-klingon", "es_MX", "i-default", "und", "a" * 36, "en-u-ca-buddhist"),
    "page_url": ("https://www.example.com/pricing?utm_source=x&utm_medium=%00", "http://[::1", "//",
                 "?utm_campaign=%ff", "https://user:pass@host:99999/", "data:text/html,x",
                 "https://ex.test/#" + "a" * 7_000),
    "referrer": ("https://www.google.com/", "about:blank", "http://[v1.x]/"),
    "message": TEXTS[2:] + TEXTS[:2],
    "name": ("Ana", "O'Brien", "李雷", "Robert'); DROP TABLE", "\n\n"),
    "email": ("ana@example.com", "ANA@EXAMPLE.COM", "a@b", "ana@exámple.com", "a" * 250 + "@b.co", "ana@example.com\n",
              '"a b"@example.com', "ana@[127.0.0.1]", "ana@xn--exmple-cua.com"),
    "phone": ("+34600111222", "600 111 222", "+1 (555) 010-9999 ext 12", "00000", "+999999999999999999", "٠٦٠٠١١١٢٢٢",
              "12345", "+", "²³¹⁴⁵⁶"),
    "attributes": ({"plan": "team"}, {}, {"plan": None}, {"plan": [1, 2]}, {"plan": {"a": {"b": 1}}}, {"": 1},
                   {"plan": 10**400}, {"plan": 1e308}, {"plan": -0.0}, {str(n): n for n in range(60)}, {"x" * 65: 1}),
    "consent": (True, False, "yes", {"text": "I agree", "at": "2026-03-02"}, [], 7),
    "hp": ("", "", "", "filled", " "),
    "ms": (5_000, 5_000, 799, 0, -1, 1e300, 10**400, 12.5),
    "source": ("api", "phone", "widget", "form"),
    "ip": ("203.0.113.9", "2001:db8::1", "::ffff:1.2.3.4", "127.0.0.1", "999.1.1.1", "fe80::1%eth0", "1.2.3"),
    "country": ("ES", "es", "UK", "ZZ", "XK", "Spain"),
    "region": ("ES-MD", "US-CA", "ES", "-", "US-"),
    "city": ("Madrid", "東京", "x" * 121),
    "received_at": ("2026-03-02T10:59:59Z", "2026-03-01T23:59:59+14:00", "2026-03-02", "yesterday",
                    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00", "2026-02-30T10:00:00Z",
                    "2026-W10-1T10:00Z"),
}  # fmt: skip
WRONG_TYPES: tuple[Any, ...] = (None, True, False, 0, -1, 2**63, 10**30, 1.5, [], {}, [[]], {"a": {"b": []}}, ["x"])
_HEADERS = {
    "Accept-Language": ("es", "en;q=0.5,es", "x" * 5_000, ";;;q=", "*", "es-\x80"),
    "Idempotency-Key": ("k1", "k2", "", "x" * 256, "naïve"),
    "X-Forwarded-For": ("1.1.1.1", "unknown, 1.1.1.1", ",,,", "[::1]:80", "x" * 2_000),
    "Content-Type": ("application/json; charset=utf-8", "application/json;charset=utf-16", "text/plain", "",
                     "multipart/form-data"),
    "Referer": ("https://www.example.com/%ff",),
}  # fmt: skip


@dataclass(frozen=True)
class Payload:
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def payloads(*, seed: int, count: int) -> Iterator[Payload]:
    chance = random.Random(seed)
    for _ in range(count):
        headers = {name: chance.choice(values) for name, values in _HEADERS.items() if chance.random() < 0.08}
        yield Payload(_body(chance), headers)


def _body(chance: random.Random) -> bytes:
    kind = chance.random()
    if kind < 0.02:
        return chance.randbytes(chance.randint(0, 200))
    if kind < 0.04:
        return b"[" * chance.randint(1, 60_000) + b"]" * chance.randint(0, 10)
    if kind < 0.06:
        return json.dumps(chance.choice(WRONG_TYPES)).encode()
    wild = chance.choice((0.0, 0.1, 0.5))  # how many of the fields are odd
    document = {
        name: _value(chance, name) if chance.random() < wild else KNOWN[name][0]
        for name in KNOWN
        if chance.random() < 0.4
    }
    if chance.random() < 0.7:  # somebody new; the others are all the same person, whose leads are joined
        number = chance.randrange(10**9)
        somebody = {"visitor_id": f"v{number}", "email": f"v{number}@example.com", "phone": f"+346{number % 10**8:08}"}
        document.update({name: value for name, value in somebody.items() if document.get(name) == KNOWN[name][0]})
    for _ in range(chance.choice((0, 0, 0, 1, 3))):
        document[chance.choice((*TEXTS, "id", "workspace", "__proto__", "agent"))[:100]] = _value(chance, "")
    raw = json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    return _damaged(chance, raw) if chance.random() < 0.15 else raw


def _value(chance: random.Random, name: str) -> Any:
    kind = chance.random()
    if kind < 0.6 and name in KNOWN:
        return chance.choice(KNOWN[name])
    if kind < 0.85:
        return chance.choice(TEXTS)
    if kind < 0.95:
        return chance.choice(WRONG_TYPES)
    return "".join(chr(chance.choice((chance.randrange(0x20, 0x250), chance.randrange(0x10FFFF)))) for _ in range(12))


def _damaged(chance: random.Random, raw: bytes) -> bytes:
    place = chance.randrange(len(raw) + 1)
    piece = chance.choice((b"", b"\\u0000", b"\\ud800", b"\x00", b"\xff", b'"', b"}", b",", b"\xed\xa0\x80", b"NaN"))
    return chance.choice((raw[:place], raw[:place] + piece + raw[place:], raw[:place] + piece + raw[place + 1 :]))
