"""The WSGI application."""

import os

import django

from . import telemetry
from .handler import Handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readiness.settings")
os.environ.setdefault("READINESS_STATEMENT_SECONDS", "5")
telemetry.instrument()
django.setup(set_prefix=False)

application = Handler()
