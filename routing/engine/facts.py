"""What is known about a lead: plain values, by the field names that rules use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

Value = str | bool | int

NOTHING: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class LanguageTag:
    """A BCP 47 tag with its language and likely scripts: `zh-TW` is `zh`, `Hant`, and its base `zh` is `Hans`."""

    tag: str
    language: str
    script: str
    base_script: str


class Facts(NamedTuple):  # a tuple: a decision makes one
    """The values a lead came with, by field (`attributes.NAME` included). A field that is absent is unknown.

    What the instant or the workspace adds (`weekday`, `local_time`, `in_hours`, `returning`, `score`, `intent`)
    is not in the facts of a lead; `with_values` adds it for one decision.
    """

    values: Mapping[str, Value] = NOTHING
    language: LanguageTag | None = None

    def with_values(self, more: Mapping[str, Value]) -> Facts:
        return Facts({**self.values, **more}, self.language)
