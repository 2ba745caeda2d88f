"""What leads add to the editor of rules: one that is there can be tried."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from leads.arrivals import channels_of, facts_of_lead
from leads.models import Lead
from routing.admin.rules import RuleAdmin
from routing.engine import Known, Request
from routing.models import Rule

admin.site.unregister(Rule)


@admin.register(Rule)
class LeadsRuleAdmin(RuleAdmin):
    tries_leads = True

    def request_of_lead(self, request: Any, reference: str) -> Request:
        """As it came: with whom its person had before it, whoever has it now."""
        leads = Lead.objects.for_workspace(request.workspace).select_related("site")
        lead = leads.filter(reference=reference.strip().upper()).first()
        if lead is None:
            raise ValidationError(_("There is no lead with this reference."))
        earlier = leads.filter(person=lead.person_id, agent__isnull=False, received_at__lt=lead.received_at)
        had = earlier.order_by("-received_at", "-pk").values_list("agent", flat=True)[:1] if lead.person_id else []
        known = Known(bool(lead.known.get("returning")), next(iter(had), None))
        return Request(facts_of_lead(lead), known, channels_of(lead))
