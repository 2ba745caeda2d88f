"""Leads."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.base import ModelState
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet
from agents.tenancy import SameWorkspace
from leads.models.defaults import column_defaults
from leads.models.reasons import OUTCOMES, REASONS
from routing.engine import Outcome


class Status(models.TextChoices):
    """Whether somebody must still do something."""

    OPEN = "open", _("Open")
    ANSWERED = "answered", _("Answered")
    CLOSED = "closed", _("Closed")


class ClosedAs(models.TextChoices):
    """How a lead ended. The last three were no leads at all: their turn is given back."""

    WON = "won", _("Won")
    LOST = "lost", _("Lost")
    SPAM = "spam", _("Spam")
    DUPLICATE = "duplicate", _("Duplicate")
    NO_CONVERSATION = "no_conversation", _("Not a conversation")


NOT_A_LEAD = frozenset({ClosedAs.SPAM, ClosedAs.DUPLICATE, ClosedAs.NO_CONVERSATION})


class LeadQuerySet(TenantQuerySet):
    def unclosed(self) -> "LeadQuerySet":
        return self.exclude(status=Status.CLOSED)

    def held(self) -> "LeadQuerySet":
        """Those that wait for somebody, offered ones included."""
        return self.filter(outcome=Outcome.HELD.value).unclosed()


class Lead(models.Model):
    """One person's wish to talk, and what became of it.

    `received_at` dates it, `created_at` is when it was stored. `facts` are what rules may look at, as it came
    (the message apart); `known` is what was known of the person. `channel` is what the visitor chose, `reached_on`
    the channel its agent is reached on ('': none). `flagged` says why a manager must look, '' where nobody must.

    A held lead waits for its target (`held_for`, `held_for_id` as `engine.Target`); `held_available` and
    `held_capped` are the agents who were there, or kept away by a cap alone, when that was last looked at; for an
    offer, `held_available` are those it was made to. `release_at` is when it is tried again whoever is there: the
    end of an offer, a retry after a failure. `opens_at` is the opening that the visitor was promised.

    `sla` is what is promised about it, copied when it was decided, so that publishing changes nothing that runs; its
    clock runs from `clock_from`, and it is to be answered by `respond_by`. `ladder` are the steps still to come, the
    next one due at `ladder_at` (None: nothing is); `leads.sla` reads them. `breached_at` is `respond_by`, where that
    passed without an answer. `alerts` are the kinds of alert that managers were sent about it.

    `notified_at` is when the first message about it left, `seen_at` when an agent first opened it. At the first human
    response, `leads.speed.response` writes who had it (`answered_by`), how long it took by both clocks (microseconds),
    and the hours that were counted (`response_schedule`). A click is to be confirmed as a conversation until
    `click_until` (None: not, or no more); `unconfirmed_at` is that instant, where nobody did.
    """

    # No plain constraints where SameWorkspace makes a stronger one: two checks of a column are one too many.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("agents.Workspace", models.PROTECT, related_name="leads", db_index=False)
    site = models.ForeignKey(
        "agents.Site", models.PROTECT, null=True, blank=True, related_name="leads", db_index=False, db_constraint=False
    )
    api_key = models.ForeignKey(
        "agents.ApiKey",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="leads",
        db_index=False,
        db_constraint=False,
    )
    person = models.ForeignKey(
        "leads.Person", models.PROTECT, null=True, blank=True, related_name="leads", db_index=False, db_constraint=False
    )
    source = models.CharField(_("source"), max_length=20)
    channel = models.CharField(_("channel"), max_length=20)
    received_at = models.DateTimeField(_("received"))
    created_at = models.DateTimeField(_("stored"))

    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    outcome = models.CharField(_("outcome"), max_length=10, choices=OUTCOMES)
    reason = models.CharField(_("reason"), max_length=20, choices=REASONS)
    rule = models.CharField(_("rule"), max_length=200, blank=True)
    agent = models.ForeignKey(
        "agents.Agent", models.PROTECT, null=True, blank=True, related_name="leads", db_index=False, db_constraint=False
    )
    team = models.ForeignKey(
        "agents.Team", models.PROTECT, null=True, blank=True, related_name="leads", db_index=False, db_constraint=False
    )
    reached_on = models.CharField(_("reached on"), max_length=20, blank=True)
    assigned_at = models.DateTimeField(_("assigned"), null=True, blank=True)
    first_response_at = models.DateTimeField(_("first response"), null=True, blank=True)
    answered_by = models.ForeignKey(
        "agents.Agent", models.PROTECT, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )
    response_us = models.BigIntegerField(null=True, blank=True, editable=False)
    covered_response_us = models.BigIntegerField(null=True, blank=True, editable=False)
    response_schedule = models.JSONField(null=True, blank=True, editable=False)
    first_assigned_at = models.DateTimeField(_("first assigned"), null=True, blank=True, editable=False)
    notified_at = models.DateTimeField(_("agent told"), null=True, blank=True, editable=False)
    seen_at = models.DateTimeField(_("seen"), null=True, blank=True, editable=False)
    attempted_at = models.DateTimeField(_("tried to reach"), null=True, blank=True, editable=False)
    click_until = models.DateTimeField(null=True, blank=True, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True, editable=False)
    unconfirmed_at = models.DateTimeField(_("not confirmed"), null=True, blank=True, editable=False)
    closed_as = models.CharField(_("closed as"), max_length=20, choices=ClosedAs, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    flagged = models.TextField(_("flagged"), blank=True)

    visitor_id = models.CharField(_("visitor id"), max_length=128, blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    phone = models.CharField(_("phone"), max_length=64, blank=True)
    message = models.TextField(_("message"), blank=True)
    language = models.CharField(_("language"), max_length=35, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    region = models.CharField(_("region"), max_length=6, blank=True)
    city = models.CharField(_("city"), max_length=200, blank=True)
    page_url = models.TextField(_("page"), blank=True)
    referrer = models.TextField(_("referrer"), blank=True)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    consent = models.JSONField(_("consent"), null=True, blank=True)
    network = models.CharField(_("network"), max_length=43, blank=True)
    joined_count = models.PositiveIntegerField(_("joined submissions"), default=0)

    facts = models.JSONField(default=dict, editable=False)
    known = models.JSONField(default=dict, editable=False)
    score = models.IntegerField(_("score"), null=True, blank=True)
    intent = models.CharField(_("intent"), max_length=10, blank=True)

    reference = models.CharField(_("reference"), max_length=12, editable=False)
    status_token = models.CharField(max_length=32, editable=False)

    held_for = models.CharField(max_length=10, blank=True, editable=False)
    held_for_id = models.BigIntegerField(null=True, blank=True, editable=False)
    held_available = models.JSONField(default=list, editable=False)
    held_capped = models.JSONField(default=list, editable=False)
    release_at = models.DateTimeField(_("tried again"), null=True, blank=True, editable=False)
    opens_at = models.DateTimeField(_("opens"), null=True, blank=True, editable=False)
    claim_over = models.BooleanField(default=False, editable=False)
    tried = models.JSONField(default=list, editable=False)

    sla = models.JSONField(_("SLA"), null=True, blank=True, editable=False)
    clock_from = models.DateTimeField(_("clock runs from"), null=True, blank=True, editable=False)
    respond_by = models.DateTimeField(_("answer by"), null=True, blank=True, editable=False)
    ladder = models.JSONField(default=list, editable=False)
    ladder_at = models.DateTimeField(_("next step"), null=True, blank=True, editable=False)
    reroutes = models.PositiveSmallIntegerField(_("given to somebody else"), default=0, editable=False)
    breached_at = models.DateTimeField(_("overdue since"), null=True, blank=True, editable=False)
    escalated_at = models.DateTimeField(_("managers told"), null=True, blank=True, editable=False)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True, editable=False)
    alerts = models.JSONField(default=list, editable=False)

    objects = LeadQuerySet.as_manager()

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "id"], name="lead_of_workspace"),
            # Not by workspace first: before its first statistics PostgreSQL would look for a lead among all of them.
            models.UniqueConstraint(fields=["reference", "workspace"], name="lead_reference_once_per_workspace"),
            # A field that is unique by itself gets a second index, for searches by its beginning.
            models.UniqueConstraint(fields=["status_token"], name="lead_status_token_once"),
            SameWorkspace(field="site", name="lead_has_own_site"),
            SameWorkspace(field="api_key", name="lead_has_own_api_key"),
            SameWorkspace(field="person", name="lead_has_own_person"),
            SameWorkspace(field="agent", name="lead_has_own_agent"),
            SameWorkspace(field="team", name="lead_has_own_team"),
            SameWorkspace(field="answered_by", name="lead_answered_by_own_agent"),
            models.CheckConstraint(
                condition=Q(agent=None, outcome__in=["held", "queued", "rejected"])
                | Q(agent__isnull=False, outcome__in=["assigned", "fallback"]),
                name="lead_has_an_agent_where_its_outcome_says_so",
            ),
            models.CheckConstraint(
                condition=Q(status="closed", closed_at__isnull=False) | Q(~Q(status="closed"), closed_at=None),
                name="lead_is_closed_at_an_instant",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-received_at", "-id"], name="lead_newest_first"),
            models.Index(fields=["workspace", "status", "-received_at"], name="lead_by_status"),
            models.Index(fields=["agent", "-received_at"], name="lead_by_agent"),
            models.Index(fields=["person", "-received_at"], name="lead_by_person"),
            models.Index(
                fields=["workspace", "visitor_id", "-received_at"], condition=~Q(visitor_id=""), name="lead_by_visitor"
            ),
            models.Index(
                fields=["workspace", "received_at", "id"],
                condition=Q(outcome="held") & ~Q(status="closed"),
                name="lead_held_oldest_first",
            ),
            models.Index(fields=["release_at"], condition=Q(release_at__isnull=False), name="lead_by_release"),
            models.Index(fields=["click_until"], condition=Q(click_until__isnull=False), name="lead_by_click"),
            models.Index(fields=["ladder_at"], condition=Q(ladder_at__isnull=False), name="lead_by_ladder"),
            models.Index(
                fields=["workspace", "respond_by"],
                condition=Q(respond_by__isnull=False, status="open"),
                name="lead_overdue",
            ),
            models.Index(fields=["workspace", "-received_at"], condition=~Q(flagged=""), name="lead_flagged"),
        ]

    def __str__(self) -> str:
        return self.reference

    @classmethod
    def new(cls, **columns: Any) -> "Lead":
        """As `Lead(**columns)`, which asks each of the many fields several times what to do."""
        lead = cls.__new__(cls)
        fixed, made = column_defaults(cls)
        vars(lead).update({**fixed, **{name: make() for name, make in made.items()}, "_state": ModelState(), **columns})
        return lead
