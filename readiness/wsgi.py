"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

from . import telemetry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readiness.settings")
telemetry.instrument()

application = get_wsgi_application()
