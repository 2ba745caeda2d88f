"""Gets a worker going again that believes its hands full while they are empty."""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from celery.worker import state

CHECK_EVERY_S = 2.0


class FullHands(bootsteps.StartStopStep):
    """Connects anew where tasks are over that the broker was never told to be.

    A worker takes no more messages than it may hold unacknowledged. What ends while Redis is away cannot be
    acknowledged, Celery tries that once, and a worker whose every message ended so would ask Redis for nothing any
    more, and thus never learn that it is back.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._check: Any = None

    def start(self, consumer: Any) -> None:
        if consumer.hub is not None:  # the embedded broker has none, and is never away
            self._check = consumer.timer.call_repeatedly(CHECK_EVERY_S, check, (consumer,))

    def stop(self, consumer: Any) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None


def check(consumer: Any) -> None:
    """Raises ConnectionError, on which Celery closes what is left of the connection and opens another."""
    if not consumer.task_consumer.channel.qos.can_consume() and not state.reserved_requests:
        raise ConnectionError("tasks ended that the broker could not be told about")
