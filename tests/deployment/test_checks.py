"""What refuses to start: settings that would leak, a database that would lose."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import WARNING
from django.core.management import get_commands, load_command_class
from django.db import InterfaceError, OperationalError, connection, connections

from assessments import checks, frozen
from tests.conftest import ROOT

from .conftest import (
    DEPLOYMENT,
    GUNICORN,
    Deployment,
    answers,
    free_port,
    outside,
    stop,
    wait_until,
)

EXAMPLE = re.compile(r"^([A-Z_]+)=(.*)$", re.MULTILINE)


def example() -> dict[str, str]:
    """The environment of the documentation, but for what an installation must fill in: as a shell
    reads it."""
    path = DEPLOYMENT / "environment.example"
    read = subprocess.run(
        ["sh", "-c", 'set -a; . "$0"; exec env -0', path],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    told = dict(each.split("=", 1) for each in read.split("\0") if each)
    named = EXAMPLE.findall(path.read_text(encoding="utf-8"))
    return {name: told.get(name, "") for name, _value in named}


def test_a_shell_and_systemd_read_the_example_alike():
    text = (DEPLOYMENT / "environment.example").read_text(encoding="utf-8")
    told = EXAMPLE.findall(text)
    plain = re.compile(r"[\w@%+=:,./-]*|'[^']*'|" r'"[^"$`\\]*"')
    assert [value for _name, value in told if not plain.fullmatch(value)] == []
    assert example() == {name: value.strip("'\"") for name, value in told}


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


@pytest.mark.django_db
@pytest.mark.parametrize("failing", [OperationalError, InterfaceError])
def test_a_database_that_is_away_is_a_warning(monkeypatch, failing):
    def away(*args):
        raise failing("connection refused\ndetails")

    monkeypatch.setattr(connections["default"], "ensure_connection", away)
    monkeypatch.setattr(connections["default"], "cursor", away)
    (told,) = checks.check_reached(None, databases=["default"])
    assert (told.level, told.id) == (WARNING, "readiness.W001")
    assert told.msg == "The database cannot be reached: connection refused"
    assert checks.check_durability(None, databases=["default"]) == []
    assert frozen.check(None, databases=["default"]) == []


@pytest.mark.django_db
def test_one_that_answers_is_not():
    assert checks.check_reached(None, databases=["default"]) == []
    assert checks.check_reached(None, databases=None) == []


def test_the_server_starts_while_the_database_is_away_and_says_so(deployment: Deployment):
    """By the two commands of the unit, and of the container."""
    away = {"DATABASE_URL": f"postgresql://readiness@127.0.0.1:{free_port()}/readiness"}
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--database", "default"],
        cwd=ROOT,
        env=outside() | deployment.environment | away,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert "readiness.W001" in checked.stderr
    port = free_port()
    gunicorn = deployment.start(
        *(GUNICORN, "--config", "readiness/gunicorn.py", "readiness.wsgi"),
        log="away.log",
        READINESS_BIND=f"127.0.0.1:{port}",
        **away,
    )
    try:
        wait_until(lambda: answers(port))
        for path, status in (("/healthz", 200), ("/", 503)):
            asking = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            headers = {"X-Forwarded-Proto": "https", "Accept-Language": "en"}
            asking.request("GET", path, headers=headers)
            response = asking.getresponse()
            page = response.read().decode()
            asking.close()
            assert response.status == status
        assert int(response.headers["Retry-After"]) > 0
        assert "What had been saved is still saved." in page
    finally:
        stop(gunicorn)


UNITS = sorted(DEPLOYMENT.glob("*.service"))


def called(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("unit", UNITS, ids=called)
def test_a_unit_runs_a_command_that_exists(unit):
    told = unit.read_text(encoding="utf-8")
    commands = re.findall(r"^Exec\w+=(.*)$", told, re.MULTILINE)
    assert commands
    for command in commands:
        if in_a_shell := re.fullmatch(r'/bin/sh -c "exec (.*) >>(\S+)"', command):
            command, written = in_a_shell.groups()
            assert f"\nReadWritePaths={Path(written).parent}\n" in told
        program, *arguments = command.removeprefix("/opt/readiness/current/").split()
        assert program in (".venv/bin/python", ".venv/bin/gunicorn")
        if "gunicorn" in program:
            assert (ROOT / arguments[1]).is_file()
            continue
        manage, name, *options = arguments
        assert manage == "manage.py"
        assert name in get_commands()
        parser = load_command_class(str(get_commands()[name]), name).create_parser(manage, name)
        parser.parse_args(options)  # which raises where it does not know them


def test_units_are_held_alike():
    """What one may not do, none may."""
    held = set()
    for unit in UNITS:
        _before, _mark, after = unit.read_text(encoding="utf-8").partition("# What it may write")
        held.add(after.partition("\n\n")[0].strip())
    assert len(held) == 1
    assert "NoNewPrivileges=yes" in held.pop()


@pytest.mark.parametrize("timer", sorted(DEPLOYMENT.glob("*.timer")), ids=called)
def test_a_timer_has_its_service_which_ends(timer):
    told = timer.read_text(encoding="utf-8")
    assert re.search(r"^OnCalendar=", told, re.MULTILINE)
    assert re.search(r"^WantedBy=timers.target$", told, re.MULTILINE)
    service = timer.with_suffix(".service").read_text(encoding="utf-8")
    assert "\nType=oneshot\n" in service


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


def test_a_container_that_answers_nobody_is_not_asked_whether_it_lives():
    page = (ROOT / "readiness/docs/DEPLOYMENT.md").read_text(encoding="utf-8")
    commands = page.replace("\\\n", "").splitlines()
    (worker,) = (line for line in commands if re.match(r"podman run .* readiness worker$", line))
    assert " --no-healthcheck " in worker
