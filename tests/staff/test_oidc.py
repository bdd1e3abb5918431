"""Another service to sign in by: how it is told of, and the tests of it, in a process of its own.

The apps it needs are installed when Django starts, so that tests/oidc runs where it is configured.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from importlib.util import find_spec

import environ
import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from readiness import oidc
from tests.conftest import ROOT

TOLD = {
    "SERVER_URL": "https://auth.bas.psc.esante.gouv.fr/auth/realms/esante-wallet"
    "/.well-known/wallet-openid-configuration",
    "CLIENT_ID": "readiness",
    "CLIENT_SECRET": "a secret shared with the service",
    "NAME": "Pro Santé Connect",
    "SCOPES": "openid scope_all",
    "ACR_VALUES": "eidas1",
}


def told(monkeypatch, **changed):
    for name, value in {**TOLD, **changed}.items():
        monkeypatch.setenv(f"READINESS_OIDC_{name}", value)
    return oidc.oidc_told(environ.Env())


@pytest.mark.skipif(find_spec("requests") is None, reason="without the extra “oidc”")
def test_pro_sante_connect_is_told_of_by_the_environment(monkeypatch):
    app = told(monkeypatch).app()
    assert app["settings"]["scope"] == ["openid", "scope_all"]
    assert app["settings"]["auth_params"] == {"acr_values": "eidas1"}
    assert app["settings"]["oauth_pkce_enabled"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"CLIENT_ID": ""}, "lacks READINESS_OIDC_CLIENT_ID"),
        ({"SERVER_URL": ""}, "lacks READINESS_OIDC_SERVER_URL"),
        ({"SERVER_URL": "http://example.org"}, "begins with https"),
        ({"SCOPES": "profile"}, "has “openid”"),
    ],
)
@pytest.mark.skipif(find_spec("requests") is None, reason="without the extra “oidc”")
def test_half_told_is_said(monkeypatch, changed, said):
    with pytest.raises(ImproperlyConfigured, match=said):
        told(monkeypatch, **changed)


def test_configured_without_the_extra_is_said(monkeypatch):
    monkeypatch.setattr(oidc, "find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match=r"extra “oidc”.*requests"):
        told(monkeypatch)


def test_without_it_nothing_of_it_is_installed():
    assert settings.OIDC is None
    assert not apps.is_installed("allauth.socialaccount")


def test_without_the_extra_everything_starts(tmp_path):
    """Its modules hidden, as where it is not installed."""
    hide = (
        "import sys\n"
        "for name in ('requests', 'jwt', 'oauthlib'): sys.modules[name] = None\n"
        "import django; django.setup()\n"
        "from django.core.management import call_command; call_command('check')\n"
        "from django.urls import reverse; reverse('account_login')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", hide],
        env={**os.environ, "READINESS_DATA": str(tmp_path), "DATABASE_URL": ""},
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


@pytest.mark.skipif(find_spec("requests") is None, reason="without the extra “oidc”")
def test_signing_in_by_another_service(tmp_path):
    """Every test of tests/oidc, against a service on loopback that signs real tokens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    realm = TOLD["SERVER_URL"].replace("https://auth.bas.psc.esante.gouv.fr", "")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    } | {
        **{f"READINESS_OIDC_{name}": value for name, value in TOLD.items()},
        "READINESS_OIDC_SERVER_URL": f"http://127.0.0.1:{port}{realm}",
        "READINESS_DATA": str(tmp_path),
        "DATABASE_URL": aside(os.environ.get("DATABASE_URL", "")),
    }
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
         "tests/oidc"],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-6000:]
    assert "passed" in run.stdout


def aside(url: str) -> str:
    """A database whose test database is not the one of these tests."""
    base, question, options = url.partition("?")
    return f"{base}_oidc{question}{options}" if base else ""
