"""The order of the draft."""

from typing import Any

from django.db import transaction
from django.db.models import Max

from agents.models import Workspace
from routing.models import Draft, Rule


def place_of_next(model: type[Any], *, workspace: Workspace) -> int:
    """The position after the last: where what is added goes."""
    last = model.objects.for_workspace(workspace).aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def move_rule(*, rule: Rule, up: bool) -> bool:
    """Exchange the rule with the one before it, or after it. Returns whether there was one."""
    with transaction.atomic():
        # Two who move rules at once would leave two of them in one place.
        Draft.objects.select_for_update(no_key=True).filter(workspace_id=rule.workspace_id).first()
        rules = list(Rule.objects.filter(workspace_id=rule.workspace_id).only("id", "position"))
        place = next(i for i, one in enumerate(rules) if one.pk == rule.pk)
        other = place - 1 if up else place + 1
        if not 0 <= other < len(rules):
            return False
        rules[place], rules[other] = rules[other], rules[place]
        misplaced = []
        for position, one in enumerate(rules):
            if one.position != position:
                one.position = position
                misplaced.append(one)
        Rule.objects.bulk_update(misplaced, ["position"], batch_size=500)
        return True
