"""What an operator keeps elsewhere holds what the tables hold, and lets nobody in.

The other canaries: ``test_canaries.py``.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import connection

from assessments.backups.survey import LEFT_OUT

from .canaries import Canary, leaks
from .test_canaries import SECRET, Story, counted, plant, planted
from .world import World

pytestmark = pytest.mark.django_db(transaction=True)
NOT_IN_IT = tuple(f"table {name}" for name in LEFT_OUT)


def read(path: Path) -> bytes:
    """A backup as whoever steals it reads it: PostgreSQL's is packed."""
    if path.suffix != ".dump":
        return path.read_bytes()
    return subprocess.run(["pg_restore", "--file=-", path], capture_output=True, check=True).stdout


def as_in_tables(canary: Canary) -> Canary:
    """It may be in a backup where it may be in a table that is backed up."""
    kept = [
        place
        for place in canary.allowed
        if place.startswith("table ") and not place.replace("\\", "").startswith(NOT_IN_IT)
    ]
    return replace(canary, allowed={"backup": "as in the tables"} if kept else {})


def test_a_backup_lets_nobody_in(tmp_path, settings):
    settings.SECRET_KEY = SECRET
    settings.DATA_DIR = tmp_path / "data"
    with mock.patch("assessments.limits._spent", counted):
        story = Story(World())
        plant(story.world)
        story.person()
        story.sign_in()
        story.operator()
        call_command("backup", tmp_path / "backups")
    connection.close()
    traces = [("backup", read(path)) for path in (tmp_path / "backups").iterdir()]
    wrong, right = leaks([as_in_tables(each) for each in planted(story)], traces)
    assert not wrong, wrong
    assert {"answers: backup", "will: backup", "group’s name: backup"} <= right
    assert any(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "backups").iterdir())
