"""The file's rules, scoring and settings: read by the rulebook, drafted and published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from agents import plans
from agents.models import User, Workspace
from routing.publishing import draft_document, publish, replace_draft, version_document
from routing.rulebook import DEFAULTS, Findings, PolicyErrors, RosterNames, check_plan, normalise_policy
from routing.workspace_file.changes import Changes
from routing.workspace_file.checks import Stored
from routing.workspace_file.schema import SETTINGS, Contents

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Intended:
    """What the file wants the policy to be. `document` is None where it wants nothing else than there is."""

    document: Document | None
    published: Document
    draft: Document
    publishes: bool = True


def read_policy(contents: Contents, stored: Stored, findings: Findings) -> Intended:
    """Raises nothing: faults are in the findings. Sections that the file does not have stay as they are published."""
    workspace = stored.workspace
    published = version_document(workspace.pk, workspace.policy_version) if workspace else dict(DEFAULTS)
    draft = draft_document(workspace) if workspace else dict(DEFAULTS)
    given = {key: contents.workspace[key] for key in SETTINGS if key in contents.workspace}
    sections = {"scoring": contents.scoring, "rules": contents.rules}
    given |= {key: section for key, section in sections.items() if section is not None}
    try:
        document = normalise_policy(given, roster_names=_names(contents, stored))
    except PolicyErrors as errors:
        findings.errors += errors.errors
        return Intended(None, published, draft)
    findings.errors += check_plan(document, contents.workspace.get("plan", plans.Plan.FREE))
    keeps_rules = contents.scoring is None and contents.rules is None
    # Rules that managers drafted and never published: a file that does not speak of rules must not publish them.
    only_drafts = keeps_rules and workspace is not None and workspace.policy_version == 0
    before = draft if only_drafts else published
    document |= {key: before[key] for key, section in sections.items() if section is None}
    if workspace is not None and keeps_rules and document == before:
        return Intended(None, published, draft)
    return Intended(document, published, draft, publishes=not only_drafts)


def _names(contents: Contents, stored: Stored) -> RosterNames:
    """Whom the file's rules may name. A team that went before may still be named: it counts as empty."""
    if contents.teams is None:
        teams = set(stored.teams)
    else:
        teams = {team["slug"] for team in contents.teams if "slug" in team}
        teams |= {team.slug for team in stored.teams.values() if team.archived_at is not None}
    return RosterNames(
        teams=teams, agents={*stored.agents, *(agent["slug"] for agent in contents.agents or () if "slug" in agent)}
    )


def write_policy(workspace: Workspace, intended: Intended, changes: Changes, *, by: User | None, at: datetime) -> None:
    document = intended.document
    if document is None:
        return
    if intended.draft not in (intended.published, document):
        changes.told(_("overwrote the unpublished draft"))
    replace_draft(workspace, document)
    _tell_differences(intended.published, document, changes)
    if not intended.publishes:
        changes.told(_("published nothing: the file has no rules, and those of the draft were never published"))
        return
    number = workspace.policy_version
    version = publish(workspace=workspace, by=by, note=_("Loaded from a file."), at=at)
    if version.number != number:
        changes.told(
            _("published policy version %(number)d, rules: %(rules)d")
            % {"number": version.number, "rules": len(document["rules"])}
        )


def _tell_differences(before: Document, after: Document, changes: Changes) -> None:
    different = [key for key in (*SETTINGS, "scoring") if before.get(key) != after.get(key)]
    if different:
        changes.changed(_("policy"), "", different)
    old, new = ({rule["name"]: rule for rule in document["rules"]} for document in (before, after))
    for name, rule in new.items():
        if name not in old:
            changes.created(_("rule"), name)
        elif old[name] != rule:
            keys = sorted(old[name].keys() | rule.keys())
            changes.changed(_("rule"), name, [key for key in keys if old[name].get(key) != rule.get(key)])
    for name in (name for name in old if name not in new):
        changes.removed(_("rule"), name)
    if [name for name in old if name in new] != [name for name in new if name in old]:
        changes.told(_("changed the order of rules"))
