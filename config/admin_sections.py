"""The sections of the admin: what the sidebar and the start page list for somebody, with what waits there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from agents import admin_access as access
from agents.models import Agent, ApiKey, Invitation, Membership, RosterChange, Site, Team, User, Workspace
from agents.scoping import Action
from leads.after_hours.coverage import DAYS_AHEAD, coming_gaps
from leads.models import Lead, NotificationWay, Outbox, QuietHours, WebhookEndpoint
from routing.models import Draft, PolicyVersion, Rule, ScoringRule
from routing.publishing import has_unpublished_changes
from widget.client_address import ignored_forwarders

_MANY = 1_000  # nobody needs an exact figure above this, and counting on costs more with every lead


@dataclass(frozen=True)
class Section:
    """One page of the admin. `count` says, for a workspace, what is in it; `counted` is that sentence."""

    title: Any
    icon: str
    model: Any
    page: str
    count: Callable[[Any], str] | None = None
    operators_only: bool = False
    counted: str = ""


@dataclass(frozen=True)
class Group:
    title: Any
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Notice:
    """Something that a manager must see to, with the page where that is done. `is_urgent`: leads suffer already."""

    text: str
    link: str = ""
    link_text: Any = ""
    is_urgent: bool = False


def _counted(sentence: Any, rows: Callable[[Any], Any]) -> Callable[[Any], str]:
    def count(workspace: Any) -> str:
        number = rows(workspace)[: _MANY + 1].count()
        return sentence % {"number": number} if number <= _MANY else _shown(number)

    return count


def _policy_state(workspace: Any) -> str:
    if not workspace.policy_version:
        return _now("nothing published yet")
    return _now("version %(number)d is published") % {"number": workspace.policy_version}


_GROUPS = (
    Group(
        _("Leads"),
        (
            Section(
                _("Leads"),
                "inbox",
                Lead,
                "admin:leads_lead_changelist",
                _counted(
                    ngettext_lazy("%(number)d open", "%(number)d open", "number"),
                    lambda workspace: Lead.objects.for_workspace(workspace).filter(status="open"),
                ),
            ),
            Section(_("Reports"), "monitoring", Lead, "reports:speed"),
            Section(
                _("Messages to send"),
                "outgoing_mail",
                Outbox,
                "admin:leads_outbox_changelist",
                _counted(
                    ngettext_lazy("%(number)d given up", "%(number)d given up", "number"),
                    lambda workspace: Outbox.objects.for_workspace(workspace).filter(done_at=None, next_try_at=None),
                ),
            ),
        ),
    ),
    Group(
        _("People"),
        (
            Section(
                _("Agents"),
                "support_agent",
                Agent,
                "admin:agents_agent_changelist",
                _counted(
                    ngettext_lazy("%(number)d active", "%(number)d active", "number"),
                    lambda workspace: Agent.objects.for_workspace(workspace).filter(is_active=True),
                ),
            ),
            Section(
                _("Teams"),
                "groups",
                Team,
                "admin:agents_team_changelist",
                _counted(
                    ngettext_lazy("%(number)d in use", "%(number)d in use", "number"),
                    lambda workspace: Team.objects.for_workspace(workspace).filter(archived_at=None),
                ),
            ),
            Section(
                _("Notifications"),
                "notifications",
                NotificationWay,
                "admin:leads_notificationway_changelist",
                _counted(
                    ngettext_lazy("%(number)d way", "%(number)d ways", "number"),
                    lambda workspace: NotificationWay.objects.for_workspace(workspace),
                ),
            ),
            Section(_("Quiet hours"), "bedtime", QuietHours, "admin:leads_quiethours_changelist"),
            Section(_("Roster history"), "history", RosterChange, "admin:agents_rosterchange_changelist"),
        ),
    ),
    Group(
        _("Policy"),
        (
            Section(
                _("Rules"),
                "alt_route",
                Rule,
                "admin:routing_rule_changelist",
                _counted(
                    ngettext_lazy("%(number)d in the draft", "%(number)d in the draft", "number"),
                    lambda workspace: Rule.objects.for_workspace(workspace),
                ),
            ),
            Section(_("Scoring"), "speed", ScoringRule, "admin:routing_scoringrule_changelist"),
            Section(_("Draft settings"), "tune", Draft, "admin:routing_draft_changelist"),
            Section(_("Publish"), "publish", PolicyVersion, "admin:routing_policyversion_publish", _policy_state),
            Section(_("Versions"), "layers", PolicyVersion, "admin:routing_policyversion_changelist"),
        ),
    ),
    Group(
        _("Doors"),
        (
            Section(
                _("Sites"),
                "language",
                Site,
                "admin:agents_site_changelist",
                _counted(
                    ngettext_lazy("%(number)d active", "%(number)d active", "number"),
                    lambda workspace: Site.objects.for_workspace(workspace).filter(is_active=True),
                ),
            ),
            Section(
                _("API keys"),
                "key",
                ApiKey,
                "admin:agents_apikey_changelist",
                _counted(
                    ngettext_lazy("%(number)d in use", "%(number)d in use", "number"),
                    lambda workspace: ApiKey.objects.for_workspace(workspace).filter(revoked_at=None),
                ),
            ),
            Section(
                _("Webhooks"),
                "webhook",
                WebhookEndpoint,
                "admin:leads_webhookendpoint_changelist",
                _counted(
                    ngettext_lazy("%(number)d active", "%(number)d active", "number"),
                    lambda workspace: WebhookEndpoint.objects.for_workspace(workspace).filter(is_active=True),
                ),
            ),
        ),
    ),
    Group(
        _("Workspace"),
        (
            Section(_("Settings"), "settings", Workspace, "admin:agents_workspace_changelist"),
            Section(
                _("Members"),
                "badge",
                Membership,
                "admin:agents_membership_changelist",
                _counted(
                    ngettext_lazy("%(number)d person", "%(number)d people", "number"),
                    lambda workspace: Membership.objects.for_workspace(workspace),
                ),
            ),
            Section(
                _("Invitations"),
                "mail",
                Invitation,
                "admin:agents_invitation_changelist",
                _counted(
                    ngettext_lazy("%(number)d open", "%(number)d open", "number"),
                    lambda workspace: Invitation.objects.for_workspace(workspace).open(),
                ),
            ),
        ),
    ),
    Group(
        _("Operators"),
        (
            Section(_("Workspaces"), "domain", Workspace, "admin:agents_workspace_changelist", operators_only=True),
            Section(_("Users"), "person", User, "admin:agents_user_changelist", operators_only=True),
        ),
    ),
)


def sections_for(request: Any, *, counted: bool = False) -> list[Group]:
    """The groups with the sections that the user may enter, empty groups left out."""
    groups = []
    for group in _GROUPS:
        sections = [section for section in group.sections if _may_enter(section, request)]
        if counted:
            sections = [
                replace(section, counted=section.count(request.workspace) if section.count else "")
                for section in sections
            ]
        if sections:
            groups.append(replace(group, sections=tuple(sections)))
    return groups


def _may_enter(section: Section, request: Any) -> bool:
    if section.operators_only:
        return bool(request.user.is_superuser)
    return bool(request.workspace) and bool(admin.site.get_model_admin(section.model).has_view_permission(request))


def notices_for(request: HttpRequest) -> list[Notice]:
    """What must be seen to in the active workspace, and, for operators, in the installation."""
    workspace: Any = request.workspace  # type: ignore[attr-defined]
    notices = []
    if workspace and access.may(request, Action.SEE_LEADS):
        leads = Lead.objects.for_workspace(workspace).exclude(status="closed")
        waiting = leads.filter(~Q(flagged=""))[: _MANY + 1].count()
        held = leads.filter(outcome="held")[: _MANY + 1].count()
        page = reverse("admin:leads_lead_changelist")
        if waiting:
            text = ngettext("%(number)s flagged lead waits for you.", "%(number)s flagged leads wait for you.", waiting)
            text %= {"number": _shown(waiting)}
            notices.append(Notice(text, f"{page}?attention=flagged", _("Look at them"), is_urgent=True))
        if held:
            text = ngettext(
                "%(number)s lead is held until somebody is there.",
                "%(number)s leads are held until somebody is there.",
                held,
            )
            text %= {"number": _shown(held)}
            notices.append(Notice(text, f"{page}?attention=held", _("Look at them")))
    if (
        workspace
        and access.may(request, Action.SEE_REPORTS)
        and (gaps := coming_gaps(workspace=workspace, at=timezone.now()))
    ):
        hours = sum((gap.ends_at - gap.starts_at).total_seconds() for gap in gaps) / 3_600
        missed = sum(gap.leads for gap in gaps)
        if missed >= 1:  # nobody misses anybody at hours in which nothing comes
            text = _now(
                "In the next %(days)d days nobody is there for %(hours)d hours, in which usually %(leads)d leads come."
            )
            text %= {"days": DAYS_AHEAD, "hours": round(hours), "leads": round(missed)}
            notices.append(Notice(text, reverse("reports:coverage"), _("See the hours")))
    if workspace and access.may(request, Action.PUBLISH) and has_unpublished_changes(workspace):
        text = _now("The draft differs from what is published; leads still go by the published rules.")
        notices.append(Notice(text, reverse("admin:routing_policyversion_publish"), _("See what would change")))
    if request.user.is_superuser and (forwarders := ignored_forwarders()):
        text = _now(
            "X-Forwarded-For from %(peers)s is ignored. If that is your own proxy, name it in TRUSTED_PROXIES; until"
            " then all visitors seem to come from it."
        )
        notices.append(Notice(text % {"peers": ", ".join(forwarders)}))
    return notices


def _shown(number: int) -> str:
    return str(number) if number <= _MANY else _now("over %(number)d") % {"number": _MANY}
