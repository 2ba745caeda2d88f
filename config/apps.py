from django.apps import AppConfig


class SwitchyardConfig(AppConfig):
    """The installation itself: its commands and checks. It has no models."""

    name = "config"
    label = "switchyard"
