"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

from . import telemetry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readiness.settings")
os.environ.setdefault("READINESS_STATEMENT_SECONDS", "5")
telemetry.instrument()

application = get_wsgi_application()
