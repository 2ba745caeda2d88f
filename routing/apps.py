from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RoutingConfig(AppConfig):
    name = "routing"
    verbose_name = _("Routing")

    def ready(self) -> None:
        from agents import plans
        from agents.models import Agent, Team, Workspace
        from agents.roster import accompany
        from routing import publishing
        from routing.models import Draft, Ledger, Load

        accompany(Team, Ledger, field="team")
        accompany(Workspace, Ledger, field="workspace")  # without a team: whoever is on call
        accompany(Workspace, Draft, field="workspace")
        accompany(Agent, Load)
        plans.also_uses(publishing.report_features)
