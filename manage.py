#!/usr/bin/env python
"""Switchyard's command line. Settings that cannot work end it with one sentence and exit code 2."""

import gc
import importlib
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    gc.disable()  # what is loaded at the start stays: to look for garbage in it again and again takes a fifth of it
    try:
        import django
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Switchyard's dependencies are not installed: run `make setup`, then .venv/bin/python manage.py ...")
    try:
        # Django would go on without settings for some commands, and fail later with a traceback.
        importlib.import_module(os.environ["DJANGO_SETTINGS_MODULE"])
        django.setup()
        gc.freeze()
        gc.enable()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as refusal:
        sys.stderr.write(f"Switchyard cannot start: {refusal}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
