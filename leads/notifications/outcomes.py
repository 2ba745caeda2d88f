"""How an attempt to tell somebody ended, and when to try again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# Ten tries over 75.6 hours, as the Standard Webhooks specification proposes: the waits after the first nine.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
LONGEST_WAIT = timedelta(hours=24)  # that a receiver may ask for


@dataclass(frozen=True, slots=True)
class Delivered:
    """The next one in line has it: a mail server, a provider, a receiver."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now. `after`: the wait that the receiver asked for, None where it left that to us."""

    reason: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Dead:
    """Never, in this way. `address_gone`: nobody will be reached there again, so it should be switched off."""

    reason: str
    address_gone: bool = False


Outcome = Delivered | Retry | Dead


def next_try_at(*, tries: int, retry: Retry, at: datetime) -> datetime | None:
    """When to try again after the `tries`-th attempt ended so; None: that was the last one."""
    if tries > len(WAITS):
        return None
    return at + max(WAITS[max(tries, 1) - 1], retry.after or timedelta())


def asked_wait(header: str, *, at: datetime) -> timedelta | None:
    """What a Retry-After header asks for, in seconds or as a date (RFC 9110, 10.2.3), at most a day; else None."""
    header = header.strip()
    if header.isascii() and header.isdigit() and len(header) <= 12:
        wait = timedelta(seconds=min(int(header), LONGEST_WAIT.total_seconds()))
    else:
        try:
            until = parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            return None
        wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - at
    return min(max(wait, timedelta()), LONGEST_WAIT)
