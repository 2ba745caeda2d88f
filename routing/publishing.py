"""Publishing: the draft becomes an immutable numbered version, and leads are routed by it.

Nothing else changes a policy. Publishing is no change of the roster; whoever holds leads watches the version.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from agents.models import Agent, Team, User, Workspace
from routing.drafting import fingerprint
from routing.models import Draft, PolicyVersion, Rule, ScoringRule
from routing.rulebook import (
    ACKNOWLEDGE_WITHIN,
    DEFAULTS,
    PolicyErrors,
    RosterNames,
    check_plan,
    features_used,
    normalise_policy,
)

Document = dict[str, Any]


def draft_document(workspace: Workspace) -> Document:
    """The draft as a policy document."""
    draft = Draft.objects.filter(workspace=workspace).first() or Draft(workspace=workspace)
    rules = Rule.objects.for_workspace(workspace).select_related("team", "agent")
    return {
        **draft.document,
        "scoring": [rule.document for rule in ScoringRule.objects.for_workspace(workspace)],
        "rules": [rule.document for rule in rules],
    }


def replace_draft(workspace: Workspace, document: Document) -> None:
    """Make the draft say what this normal-form document says. Every team and agent it names must exist."""
    with transaction.atomic():
        _lock(workspace)
        if draft_document(workspace) == document:
            return
        Draft.objects.update_or_create(
            workspace=workspace,
            defaults={
                "returning": document["returning"],
                "join_window_s": document["join_window"],
                "hot": document["intent"]["hot"],
                "warm": document["intent"]["warm"],
                "sla": document.get("sla"),
                "acknowledge_within_s": document.get("acknowledge_within", ACKNOWLEDGE_WITHIN),
            },
        )
        ScoringRule.objects.for_workspace(workspace).delete()
        ScoringRule.objects.bulk_create(
            ScoringRule(workspace=workspace, position=place, when=rule.get("when"), points=rule["points"])
            for place, rule in enumerate(document["scoring"])
        )
        teams = dict(Team.objects.filter(workspace=workspace).values_list("slug", "id"))
        agents = dict(Agent.objects.filter(workspace=workspace).values_list("slug", "id"))
        Rule.objects.for_workspace(workspace).delete()
        Rule.objects.bulk_create(
            (
                Rule.of(rule, position=place, workspace=workspace, teams=teams, agents=agents)
                for place, rule in enumerate(document["rules"])
            ),
            batch_size=500,
        )


class ChangedMeanwhile(Exception):
    """Somebody else saved or published after what this publisher looked at."""


def state_of(workspace: Workspace, draft: Document) -> str:
    """What somebody who is about to publish looks at: this draft, and the version that is published."""
    return fingerprint([draft, workspace.policy_version])


def publish(
    *,
    workspace: Workspace,
    by: User | None,
    note: str = "",
    at: datetime,
    force: bool = False,
    seen: str | None = None,
) -> PolicyVersion:
    """Publish the draft. Returns the version now published: a new one, or the old where nothing changed.

    `force` makes a new version even so. `seen` is the `state_of` what was looked at: raises ChangedMeanwhile where it
    is another now. Raises PolicyErrors where the draft is not sound or over the plan's limits.
    """
    with transaction.atomic():
        _lock(workspace)
        draft = draft_document(workspace)
        if seen is not None and seen != state_of(workspace, draft):
            raise ChangedMeanwhile
        document = normalise_policy(draft, roster_names=roster_names(workspace, archived=True))
        return _publish(workspace, document, by=by, note=note, at=at, force=force)


def roll_back(
    *,
    workspace: Workspace,
    number: int,
    by: User | None,
    note: str = "",
    at: datetime,
    instead_of: int | None = None,
    draft_too: bool = False,
) -> PolicyVersion:
    """Publish version `number` again, under a new number. The draft stays as it is, unless `draft_too`.

    `instead_of` is the version that was published for whoever rolls back: raises ChangedMeanwhile where it is another
    now. Raises PolicyVersion.DoesNotExist, or PolicyErrors where the plan no longer has what the old policy uses.
    Teams and agents that went meanwhile count as empty: `named_but_gone` lists them.
    """
    with transaction.atomic():
        _lock(workspace)
        if instead_of is not None and instead_of != workspace.policy_version:
            raise ChangedMeanwhile
        old = PolicyVersion.objects.for_workspace(workspace).get(number=number)
        if draft_too:
            replace_draft(workspace, old.document)
        return _publish(workspace, old.document, by=by, note=note, at=at, restored_from=number)


def _publish(
    workspace: Workspace,
    document: Document,
    *,
    by: User | None,
    note: str,
    at: datetime,
    force: bool = False,
    restored_from: int | None = None,
) -> PolicyVersion:
    if errors := check_plan(document, workspace.plan):
        raise PolicyErrors(errors)
    current = published_version(workspace)
    if current is not None and current.document == document and not force:
        return current
    newest = PolicyVersion.objects.for_workspace(workspace).order_by("-number").first()
    names = slugs_named(document)
    version = PolicyVersion.objects.create(
        workspace=workspace,
        number=newest.number + 1 if newest else 1,
        document=document,
        team_slugs=sorted(names.teams),
        agent_slugs=sorted(names.agents),
        published_at=at,
        published_by=by,
        note=note,
        restored_from=restored_from,
    )
    # Not a field of the roster, so this raises no roster version.
    Workspace.objects.filter(pk=workspace.pk).update(policy_version=version.number)
    workspace.policy_version = version.number
    return version


def _lock(workspace: Workspace) -> None:
    """One publisher at a time; and the plan and the version as they are now."""
    locked = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    workspace.plan, workspace.policy_version = locked.plan, locked.policy_version


def published_version(workspace: Workspace) -> PolicyVersion | None:
    """The version that leads are routed by; None before the first."""
    return PolicyVersion.objects.for_workspace(workspace).filter(number=workspace.policy_version).first()


def version_document(workspace_id: int, number: int) -> Document:
    """The document of a version; 0 is the policy before the first, without rules. Raises PolicyVersion.DoesNotExist."""
    if number == 0:
        return deepcopy(dict(DEFAULTS))
    return PolicyVersion.objects.values_list("document", flat=True).get(workspace_id=workspace_id, number=number)


def has_unpublished_changes(workspace: Workspace) -> bool:
    return draft_document(workspace) != version_document(workspace.pk, workspace.policy_version)


def roster_names(workspace: Workspace, *, archived: bool = False) -> RosterNames:
    """The slugs that rules of this workspace may name; with `archived`, also those of archived teams."""
    teams = Team.objects.filter(workspace=workspace)
    if not archived:
        teams = teams.filter(archived_at=None)
    agents = Agent.objects.filter(workspace=workspace)
    return RosterNames(
        teams=frozenset(teams.values_list("slug", flat=True)), agents=frozenset(agents.values_list("slug", flat=True))
    )


def slugs_named(document: Document) -> RosterNames:
    """The teams and agents that the rules of a document send leads to."""
    targets = [rule["route"]["to"] for rule in document["rules"] if rule["route"]["to"] != "queue"]
    return RosterNames(
        teams=frozenset(to["team"] for to in targets if "team" in to),
        agents=frozenset(to["agent"] for to in targets if "agent" in to),
    )


def names_in_use(workspace: Workspace) -> RosterNames:
    """The teams and agents that the draft or any published version names: archive these, never delete them."""
    named = slugs_named(draft_document(workspace))
    teams, agents = set(named.teams), set(named.agents)
    versions = PolicyVersion.objects.for_workspace(workspace).order_by()
    for team_slugs, agent_slugs in versions.values_list("team_slugs", "agent_slugs"):
        teams.update(team_slugs)
        agents.update(agent_slugs)
    return RosterNames(teams=frozenset(teams), agents=frozenset(agents))


class Gone(NamedTuple):
    """A team that is archived or an agent that is inactive, or either deleted, and the rules that name it."""

    kind: str  # "team" or "agent"
    slug: str
    rules: tuple[str, ...]


def named_but_gone(document: Document, workspace: Workspace) -> list[Gone]:
    """Who counts as empty if this document is published, in the order of the rules."""
    teams = roster_names(workspace).teams
    agents = frozenset(Agent.objects.filter(workspace=workspace, is_active=True).values_list("slug", flat=True))
    rules: dict[tuple[str, str], list[str]] = {}
    for rule in document["rules"]:
        to = rule["route"]["to"]
        if to == "queue":
            continue
        ((kind, slug),) = to.items()
        if slug not in (teams if kind == "team" else agents):
            rules.setdefault((kind, slug), []).append(rule["name"])
    return [Gone(kind, slug, tuple(names)) for (kind, slug), names in rules.items()]


def report_features(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """What the draft and the published policy use of a plan, each with the rule that uses it, for `agents.plans`."""
    if workspace.pk is None:
        return
    published = version_document(workspace.pk, workspace.policy_version)
    for document in (draft_document(workspace), published):
        for feature, path in features_used(document):
            section, place = path[0], path[1]
            if section == "workspace":
                yield feature, _("draft settings")
            elif section == "rules":
                yield feature, document["rules"][place]["name"]
            else:
                yield feature, _("scoring rule %(number)s") % {"number": int(place) + 1}
