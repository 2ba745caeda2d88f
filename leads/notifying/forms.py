"""Forms for how people want to be told, and which servers are. What is stored of an address is never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from agents.forms.fields import ClockField
from agents.forms.workspace_form import WorkspaceForm
from agents.models import Membership
from leads.models import NotificationWay, QuietHours, WebhookEndpoint
from leads.models.notification import event_types, mask
from leads.notifications.message import Kind
from leads.notifications.transports import TRANSPORTS, webhook

KIND_LABELS: dict[str, Any] = {
    Kind.ASSIGNED: _("A new lead"),
    Kind.DIGEST: _("Several leads at once"),
    Kind.OFFER: _("A lead to take"),
    Kind.REMINDER: _("A lead that waits for an answer"),
    Kind.REROUTED_AWAY: _("A lead went to somebody else"),
    Kind.PAGE: _("On call: a lead needs an answer now"),
    Kind.ESCALATION: _("To managers: a lead was not answered"),
    Kind.TROUBLE: _("To managers: a lead has no agent"),
    Kind.PROMISE_LATE: _("To managers: a promise was not kept"),
    Kind.COVERAGE_WARNING: _("To managers: coming hours without anybody"),
}
MESSAGE_LABELS: dict[str, Any] = KIND_LABELS | {Kind.TRIAL: _("A trial")}
# Browsers subscribe themselves: nobody can type what they need.
_TYPED = [transport for transport in TRANSPORTS.values() if transport.id != "web_push"]


class MaskedField(forms.CharField):
    """An address. What is stored is hinted at and kept where the field is left empty."""

    widget = UnfoldAdminTextInputWidget

    def hint(self, masked: str) -> None:
        self.required = False
        self.widget.attrs |= {"placeholder": masked, "autocomplete": "off"}
        self.help_text = _now("Stored: %(masked)s. Left empty, it stays.") % {"masked": masked}


class NotificationWayForm(WorkspaceForm):
    places = {"address": "to"}

    member = forms.ModelChoiceField(
        label=_("Member"),
        queryset=Membership.objects.none(),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Instead of an agent: somebody who manages the workspace."),
    )
    transport = forms.ChoiceField(
        label=_("Way"),
        choices=[("", "–"), *((transport.id, transport.label) for transport in _TYPED)],
        widget=UnfoldAdminSelectWidget,
    )
    to = MaskedField(
        label=_("Address"),
        max_length=2_048,
        help_text=_(
            "An e-mail address; a phone number with its country's prefix; the number of a Telegram chat; the https"
            " address of a webhook."
        ),
    )
    sent = forms.MultipleChoiceField(
        label=_("Sent this way"),
        choices=list(KIND_LABELS.items()),
        required=False,
        initial=list(KIND_LABELS),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = NotificationWay
        fields = ("agent", "member", "transport", "to", "sent", "position", "is_active")
        help_texts = {"agent": _("Whoever has no way here is told by mail, at their own address.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        way: NotificationWay = self.instance
        members: Any = self.fields["member"]
        members.queryset = (
            Membership.objects.for_workspace(self.workspace).select_related("user").order_by("user__email")
        )
        members.label_from_instance = lambda member: member.user.email
        self.fields["agent"].required = False
        if way.pk is None:
            return
        if way.transport == "web_push":
            self.fields["transport"].choices = [(way.transport, TRANSPORTS["web_push"].label)]  # type: ignore[attr-defined]
        self.fields["to"].hint(way.masked)  # type: ignore[attr-defined]
        members.initial = members.queryset.filter(user=way.user_id).first() if way.user_id else None
        self.fields["sent"].initial = [kind for kind in KIND_LABELS if kind not in way.muted]

    def clean(self) -> dict[str, Any] | None:
        cleaned: dict[str, Any] = super().clean() or {}
        way: NotificationWay = self.instance
        if bool(cleaned.get("agent")) == bool(cleaned.get("member")):
            raise ValidationError(_("Choose either an agent or a member."))
        way.user = cleaned["member"].user if cleaned.get("member") else None
        way.muted = [kind for kind in KIND_LABELS if kind not in cleaned.get("sent", ())]
        transport, to = cleaned.get("transport"), cleaned.get("to")
        if transport and to:
            way.address = {TRANSPORTS[transport].fields[0]: to}
            if transport == "webhook":
                way.address["secret"] = webhook.new_secret()
        elif transport and transport != way.transport:
            self.add_error("to", _("Write the address of this way."))
        way.last_error = ""
        return cleaned


class QuietHoursForm(WorkspaceForm):
    start_minute = ClockField(label=_("From"))
    end_minute = ClockField(label=_("To"), help_text=_("An end before the start is on the next morning."))

    class Meta:
        model = QuietHours
        fields = ("agent", "start_minute", "end_minute")


class WebhookEndpointForm(WorkspaceForm):
    places = {"url": "to"}

    to = MaskedField(
        label=_("Address"), max_length=2_048, help_text=_("Where we post to, such as https://hooks.example.com/leads.")
    )
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=event_types,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None chosen: all of them, and those that are added later."),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("to", "events", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.fields["to"].hint(mask(self.instance.url))  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("to"):
            self.instance.url = cleaned["to"]
        self.instance.last_error = ""
        return cleaned
