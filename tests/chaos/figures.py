"""What was measured, a line each, and which of it breaks a promise."""

from __future__ import annotations

import math
from collections.abc import Sequence


class Figures:
    """Prints `chaos NAME VALUE UNIT` at once. `broken` are the sentences about promises that did not hold."""

    def __init__(self) -> None:
        self.broken: list[str] = []

    def say(self, name: str, value: float, unit: str) -> None:
        print(f"chaos {name} {value:.3f} {unit}" if isinstance(value, float) else f"chaos {name} {value} {unit}")

    def exactly(self, name: str, value: int, unit: str, *, wanted: int) -> None:
        self.say(name, value, unit)
        if value != wanted:
            self.broken.append(f"{name} is {value} {unit}, promised are exactly {wanted}")

    def below(self, name: str, value: float, unit: str, *, limit: float) -> None:
        self.say(name, value, unit)
        if not value < limit:
            self.broken.append(f"{name} is {value:.3f} {unit}, promised is less than {limit:g}")

    def at_least(self, name: str, value: int, unit: str, *, limit: int) -> None:
        """For what shows that the trial was one."""
        self.say(name, value, unit)
        if value < limit:
            self.broken.append(f"{name} is {value} {unit}, which is no trial: at least {limit} are needed")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed; infinite for none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else math.inf
