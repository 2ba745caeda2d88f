"""The words that say what became of a lead and why, as people read them."""

from django.utils.translation import gettext_lazy as _

from routing.engine import Outcome, Reason

# How somebody got a lead that no decision of the engine gave them.
MANUAL = "manual"
TAKEN = "taken"
REOPENED = "reopened"

OUTCOMES = [
    (Outcome.ASSIGNED.value, _("Assigned")),
    (Outcome.FALLBACK.value, _("Fallback")),
    (Outcome.HELD.value, _("Held")),
    (Outcome.QUEUED.value, _("In the nurture queue")),
    (Outcome.REJECTED.value, _("Rejected as a bot")),
]
REASONS = [
    (Reason.ROUND_ROBIN.value, _("Their turn")),
    (Reason.LEAST_BUSY.value, _("Least busy")),
    (Reason.PRIORITY.value, _("Priority")),
    (Reason.CLAIM.value, _("Claim")),
    (Reason.DIRECT.value, _("Named by the rule")),
    (Reason.RETURNING.value, _("Known contact")),
    (Reason.ON_CALL.value, _("On call")),
    (Reason.FALLBACK.value, _("Fallback")),
    (Reason.JOINED.value, _("Joined an open lead")),
    (Reason.SHIFT_STARTED.value, _("A shift started")),
    (Reason.CAP_FREED.value, _("A cap was freed")),
    (Reason.NOBODY.value, _("Nobody was there")),
    (Reason.ADDRESS_LIMIT.value, _("Many leads from one address")),
    (MANUAL, _("By hand")),
    (TAKEN, _("Taken from the queue")),
    (REOPENED, _("Reopened")),
]
