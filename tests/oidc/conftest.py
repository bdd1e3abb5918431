"""Collected only where the environment names a service: the apps are installed from the start."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.conf import settings

if settings.OIDC is None:
    collect_ignore_glob = ["test_*.py"]
else:
    from .service import Service

    @pytest.fixture
    def service():
        port = urlsplit(settings.OIDC.server_url).port
        assert port is not None
        made = Service(port, settings.OIDC.client_id, settings.OIDC.client_secret)
        yield made
        made.close()
