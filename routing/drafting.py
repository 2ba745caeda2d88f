"""The order of the draft, and telling its states apart."""

import hashlib
import json
from typing import Any

from django.db import transaction
from django.db.models import Max

from agents.models import Workspace
from routing.models import Draft, Rule


def fingerprint(document: Any) -> str:
    """The same for the same part of a draft, another for another: for whoever saves what was changed meanwhile."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def place_of_next(model: type[Any], *, workspace: Workspace) -> int:
    """The position after the last: where what is added goes."""
    last = model.objects.for_workspace(workspace).aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def move_rule(*, rule: Rule, up: bool) -> bool:
    """Exchange the rule with the one before it, or after it. Returns whether there was one."""
    with transaction.atomic():
        order = _locked_order(rule.workspace)
        place = order.index(rule.pk)
        other = place - 1 if up else place + 1
        if not 0 <= other < len(order):
            return False
        order[place], order[other] = order[other], order[place]
        _write_order(rule.workspace, order)
        return True


def put_rule(*, rule: Rule, above: int | None) -> None:
    """Put the rule right above the one with this id; None, or one that is not there: to the end."""
    with transaction.atomic():
        order = [pk for pk in _locked_order(rule.workspace) if pk != rule.pk]
        place = order.index(above) if above in order else len(order)
        order.insert(place, rule.pk)
        _write_order(rule.workspace, order)


class OrderChanged(Exception):
    """The rules are not those, or not in the order, that somebody put in another order."""


def order_rules(*, workspace: Workspace, seen: list[int], order: list[int]) -> None:
    """Put all rules into this order. `seen` is the order they were in for whoever moved them: OrderChanged where they
    are in another one now, or where `order` does not name each of them once."""
    with transaction.atomic():
        if _locked_order(workspace) != seen or sorted(order) != sorted(seen):
            raise OrderChanged
        _write_order(workspace, order)


def lock_draft(workspace: Workspace) -> None:
    """Nobody else saves a part of the draft until this transaction ends."""
    Draft.objects.select_for_update(no_key=True).filter(workspace_id=workspace.pk).first()


def _locked_order(workspace: Workspace) -> list[int]:
    # Two who move rules at once would leave two of them in one place.
    lock_draft(workspace)
    return list(Rule.objects.for_workspace(workspace).values_list("pk", flat=True))


def _write_order(workspace: Workspace, order: list[int]) -> None:
    positions = dict(Rule.objects.for_workspace(workspace).values_list("pk", "position"))
    misplaced = [Rule(pk=pk, position=place) for place, pk in enumerate(order) if positions[pk] != place]
    Rule.objects.bulk_update(misplaced, ["position"], batch_size=500)
