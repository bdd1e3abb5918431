"""What refuses to start: settings that would leak, a database that would lose."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from django.db import connection

from assessments import checks
from tests.conftest import ROOT

from .conftest import DEPLOYMENT, Deployment, outside


def example() -> dict[str, str]:
    """The environment of the documentation, but for what an installation must fill in."""
    told = (DEPLOYMENT / "environment.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", told, re.MULTILINE))


def test_the_documented_environment_passes_every_check(deployment: Deployment, tmp_path):
    environment = example() | {
        "DATABASE_URL": deployment.environment["DATABASE_URL"],
        "READINESS_SECRET_KEY": deployment.environment["READINESS_SECRET_KEY"],
        "READINESS_DATA": str(tmp_path / "data"),
        "READINESS_STATIC": str(tmp_path / "static"),
    }
    assert environment["READINESS_ADDRESS"].startswith("https://")
    told = deployment.manage("check", "--deploy", "--fail-level", "WARNING", **environment)
    assert "no issues" in told


def test_options_of_the_database_url_pass_through(deployment: Deployment):
    code = "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS'])"
    told = deployment.manage(
        *("shell", "--verbosity", "0", "-c", code),
        DATABASE_URL=example()["DATABASE_URL"],
        READINESS_THREADS="6",
    )
    assert "'sslmode': 'verify-full'" in told
    assert "'sslrootcert': '/etc/readiness/postgresql-ca.pem'" in told
    assert "'max_size': 8" in told


@pytest.mark.parametrize(("by", "bound"), [("wsgi", True), ("manage", False)])
def test_pages_alone_are_bounded_though_all_share_one_environment(
    deployment: Deployment, by, bound
):
    """A backup or a migration is not ended after so many seconds."""
    code = "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS'])"
    told = deployment.manage(
        *("shell", "--verbosity", "0", "-c", code),
        DATABASE_URL=example()["DATABASE_URL"],
        READINESS_STATEMENT_SECONDS="7",
    )
    if by == "wsgi":
        told = subprocess.run(
            [sys.executable, "-c", f"import readiness.wsgi; {code}"],
            cwd=ROOT,
            env=os.environ
            | deployment.environment
            | {"DATABASE_URL": example()["DATABASE_URL"], "READINESS_STATEMENT_SECONDS": "7"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert ("statement_timeout=7s" in told) == bound


AS_GUNICORN_DOES = """
from gunicorn.app.wsgiapp import WSGIApplication
served = WSGIApplication()
served.cfg.logger_class(served.cfg)
served.wsgi()
"""


@pytest.mark.parametrize("loading", ["import readiness.wsgi\n", AS_GUNICORN_DOES])
def test_pages_are_bounded_though_nothing_is_set(deployment: Deployment, loading):
    """gunicorn's log reads the settings before the application is there."""
    code = "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS'])"
    command = [sys.executable, "-c", loading + code]
    told = subprocess.run(
        [*command, "--config", "readiness/gunicorn.py", "readiness.wsgi"],
        cwd=ROOT,
        env=outside() | deployment.environment | {"DATABASE_URL": example()["DATABASE_URL"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "statement_timeout=5s" in told


@pytest.mark.django_db
@pytest.mark.parametrize("off", [(), ("fsync",), ("fsync", "synchronous_commit")])
def test_a_database_that_may_lose_what_it_acknowledged_is_refused(monkeypatch, off):
    monkeypatch.setattr(checks, "_off", lambda alias: list(off))
    found = checks.check_durability(None, databases=["default"])
    assert [error.id for error in found] == (
        ["readiness.E001"] * len(off) if connection.vendor == "postgresql" else []
    )
    assert checks.check_durability(None, databases=None) == []


@pytest.mark.django_db
def test_what_is_off_is_read_from_the_server():
    if connection.vendor != "postgresql":
        assert checks.check_durability(None, databases=["default"]) == []
        return
    with connection.cursor() as cursor:
        cursor.execute("SHOW fsync")
        (fsync,) = cursor.fetchone()
        assert ("fsync" in checks._off("default")) == (fsync == "off")
        assert "synchronous_commit" not in checks._off("default")
        cursor.execute("SET LOCAL synchronous_commit = off")
    assert "synchronous_commit" in checks._off("default")


UNITS = sorted(path.name for path in DEPLOYMENT.glob("*.service"))


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_runs_a_command_that_exists(unit):
    told = (DEPLOYMENT / unit).read_text(encoding="utf-8")
    for command in re.findall(r"^Exec\w+=(.*)$", told, re.MULTILINE):
        program, *arguments = command.removeprefix("/opt/readiness/current/").split()
        assert program in (".venv/bin/python", ".venv/bin/gunicorn")
        assert (ROOT / (arguments[0] if "python" in program else arguments[1])).is_file()


def test_the_documentation_names_every_file():
    page = (ROOT / "readiness/docs/DEPLOYMENT.md").read_text(encoding="utf-8")
    for path in DEPLOYMENT.iterdir():
        assert f"../deployment/{path.name}" in page, path.name


def test_the_documentation_names_every_variable():
    page = (ROOT / "readiness/docs/DEPLOYMENT.md").read_text(encoding="utf-8")
    for module in ("settings", "gunicorn"):
        text = (ROOT / f"readiness/{module}.py").read_text(encoding="utf-8")
        told = re.findall(r"^\| ((?:READINESS|DATABASE)_\w+)", text, re.MULTILINE)
        assert told
        assert [name for name in told if name not in page] == []
