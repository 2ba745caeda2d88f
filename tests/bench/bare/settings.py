"""The product's settings, and one view more."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.bare.urls"
INSTALLED_APPS = [*INSTALLED_APPS, "tests.bench.bare.apps.BareConfig"]  # noqa: F405
