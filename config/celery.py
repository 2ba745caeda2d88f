"""The Celery application. The broker only wakes workers: what is due stands in the database."""

import os

from celery import Celery

from config.full_hands import FullHands

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("switchyard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["consumer"].add(FullHands)
