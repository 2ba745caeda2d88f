"""What the web server calls."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
# All pages, before there are several processes, and before the first request waits for them.
import_module(settings.ROOT_URLCONF)

# What is loaded by now stays; without this every collection walks all of it again, a tenth of a request's time.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 10, 50)
