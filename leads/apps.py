from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LeadsConfig(AppConfig):
    name = "leads"
    verbose_name = _("Leads")

    def ready(self) -> None:
        from agents.models import Workspace
        from agents.roster import accompany
        from leads.models import CoverageWatch, HeldQueue

        accompany(Workspace, HeldQueue, field="workspace")
        accompany(Workspace, CoverageWatch, field="workspace")
