"""``manage.py check_instrument``, as an operator and as a continuous integration run it."""

import json
import shutil
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from assessments.instrument.loading import load
from assessments.instruments import publish

SEEDS = Path(__file__).parents[1] / "seeds" / "ai-readiness"
DAY = "2026-11-24"


def run(*args: str) -> str:
    out = StringIO()
    call_command("check_instrument", *args, stdout=out)
    return out.getvalue()


def refused(*args: str) -> tuple[str, CommandError]:
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("check_instrument", *args, stdout=out)
    return out.getvalue(), error.value


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(SEEDS, tmp_path / "mine"))


def test_our_seeds_have_nothing_to_mend():
    lines = run(str(SEEDS), "--on", DAY).splitlines()
    assert lines[0] == f"ai-readiness, as of {DAY}"
    assert [line.split() for line in lines[1:5]] == [
        ["domain", "A", "B", "reserve", "all"],
        ["A", "8", "8", "3", "16"],
        ["B", "8", "8", "3", "16"],
        ["C", "8", "8", "3", "17"],
    ]
    assert lines[-1] == "Nothing to mend."


def test_the_table_beside_the_seeds_is_theirs():
    assert run(str(SEEDS), "--table") == (SEEDS / "BANK.md").read_text("utf-8")


def test_a_program_reads_findings_and_counts():
    report = json.loads(run(str(SEEDS), "--on", DAY, "--format", "json"))
    assert report["findings"] == []
    assert report["scenarios"]["C"] == {"A": 8, "B": 8, "reserve": 3, "all": 17}


def test_what_expires_is_named_with_what_is_served_instead_and_the_status_tells():
    text, error = refused(str(SEEDS), "--on", "2027-06-01", "--format", "json")
    assert error.returncode == 1
    report = json.loads(text)
    of = {finding["item"]: finding for finding in report["findings"]}
    assert of["C1-1"]["rule"] == "overdue-replaced"
    assert of["C1-1"]["message"].endswith("new sittings are asked C1-5 in its place")


def test_what_is_due_soon_is_no_fault():
    day = date(2027, 5, 23) - timedelta(days=10)
    assert "to be reviewed by 2027-05-23: C1-1\n" in run(str(SEEDS), "--on", day.isoformat())


def test_a_folder_that_breaks_a_rule_is_named_line_by_line(folder):
    path = folder / "scenarios" / "a.yaml"
    path.write_text(path.read_text("utf-8").replace("credit: 1\n", "credit: 0.5\n", 1), "utf-8")
    with translation.override("en"):
        text, error = refused(str(folder))
    assert text.splitlines()[0] == (
        "scenarios/a.yaml: A1-1, options: 0 options with credit 1; must be exactly one"
    )
    assert (str(error), error.returncode) == ("2 to mend in mine.", 1)


def test_a_folder_that_is_not_there():
    _, error = refused("/nowhere")
    assert str(error) == "/nowhere is not a folder."


@pytest.mark.django_db
def test_without_a_folder_the_version_served_is_checked():
    publish(load(SEEDS))
    assert run("--on", DAY).splitlines()[0] == f"ai-readiness 2026.2, as of {DAY}"


@pytest.mark.django_db
def test_before_anything_is_published_what_is_shipped_is_checked():
    assert run("--on", DAY).splitlines()[0] == f"ai-readiness, as of {DAY}"
