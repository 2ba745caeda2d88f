from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class SwitchyardConfig(AppConfig):
    """The installation itself: its commands and checks. It has no models."""

    name = "config"
    label = "switchyard"
    default = True


class SwitchyardAdminConfig(admin_apps.SimpleAdminConfig):
    """Django's admin, on our own site. Its pages are loaded with the addresses: workers and commands need none."""

    default = False
    default_site = "config.admin_site.SwitchyardAdminSite"
