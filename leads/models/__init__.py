"""What happened: leads, the people behind them, who had them, and why."""

from leads.models.assignment import Assignment
from leads.models.decision import Decision, GivenBack, Trigger
from leads.models.deferred import HeldQueue, Outbox, SweeperHeartbeat
from leads.models.door import Idempotency, ShownAgent
from leads.models.event import Event, EventKind
from leads.models.lead import ClosedAs, Lead, Status
from leads.models.notification import EventCursor, NotificationWay, QuietHours, WebhookEndpoint
from leads.models.person import ContactKey, ContactKind, Person
from leads.models.reporting import Every, ReportMail
from leads.models.speed import DirtyDay, LeadDay, TurnDay
from leads.models.watching import CoverageWatch, Finding, FindingKind, Watchdog

__all__ = [
    "Assignment",
    "ClosedAs",
    "ContactKey",
    "ContactKind",
    "CoverageWatch",
    "Decision",
    "DirtyDay",
    "Event",
    "EventCursor",
    "EventKind",
    "Every",
    "Finding",
    "FindingKind",
    "GivenBack",
    "HeldQueue",
    "Idempotency",
    "Lead",
    "LeadDay",
    "NotificationWay",
    "Outbox",
    "Person",
    "QuietHours",
    "ReportMail",
    "ShownAgent",
    "Status",
    "SweeperHeartbeat",
    "Trigger",
    "TurnDay",
    "Watchdog",
    "WebhookEndpoint",
]
