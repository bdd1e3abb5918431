"""The grid of RGAA and the statement made from it: complete, honest, and still true of the tree."""

from __future__ import annotations

import ast
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from assessments.models import Cohort, Job, Phase
from assessments.rgaa import Conformity, Criterion, Status, Tally, Words, grid, standing
from readiness.audit import Audit, audit_told, plan_told
from tests.test_house import ROOT

BY_THEME = (9, 2, 3, 13, 8, 2, 5, 10, 4, 14, 13, 11, 12)


def test_every_criterion_is_there_once_in_its_order():
    assert [item.number for item in grid().criteria] == [
        f"{theme}.{number}"
        for theme, count in enumerate(BY_THEME, 1)
        for number in range(1, count + 1)
    ]
    assert [theme.number for theme in grid().themes] == list(range(1, 14))


def test_no_status_goes_without_its_evidence():
    known = {method.code for method in grid().methods}
    for item in grid().criteria:
        assert set(item.by_hand) <= known, item.number
        assert item.tests or item.by_hand, item.number
        assert (item.failing is not None) == (item.status is Status.FAILING), item.number
        if item.status in (Status.NOT_APPLICABLE, Status.NOT_VERIFIED):
            assert item.note, item.number


def test_every_test_named_as_evidence_exists():
    named = {test for item in grid().criteria for test in item.tests}
    assert named
    found = {
        f"{file}::{node.name}"
        for file in {test.split("::")[0] for test in named}
        for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert named - found == set()


def test_words_are_typeset_in_both_languages():
    said = [words for item in grid().criteria for words in (item.name, item.failing) if words]
    said += [theme.title for theme in grid().themes] + [method.text for method in grid().methods]
    for words in (*said, *grid().pages, *grid().stock_admin):
        assert words.en
        assert words.fr
        assert "'" not in words.fr + words.en
        assert not any(f" {sign}" in words.fr for sign in ":;?!%»"), words.fr


def criterion(status: Status) -> Criterion:
    return Criterion("1.1", Words("", ""), status)


def test_what_is_not_verified_counts_as_not_met_and_what_does_not_apply_not_at_all():
    tally = Tally(
        [criterion(Status.CONFORMING)] * 2
        + [criterion(Status.FAILING), criterion(Status.NOT_VERIFIED)]
        + [criterion(Status.NOT_APPLICABLE)] * 5
    )
    assert (tally.applicable, tally.rate) == (4, 50)
    assert Tally([criterion(Status.CONFORMING)] * 999 + [criterion(Status.FAILING)]).rate == 99
    assert Tally([criterion(Status.NOT_APPLICABLE)]).rate is None


def test_the_page_of_the_documentation_is_the_grid():
    out = StringIO()
    call_command("rgaa", stdout=out)
    kept = (ROOT / "readiness/docs/ACCESSIBILITY.md").read_text(encoding="utf-8")
    assert out.getvalue() == kept


DAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("rate", "state"),
    [
        (49, Conformity.NONE),
        (50, Conformity.PARTIAL),
        (99, Conformity.PARTIAL),
        (100, Conformity.FULL),
    ],
)
def test_the_state_follows_from_the_audit_as_the_law_says(settings, rate, state):
    settings.ACCESSIBILITY_AUDIT = Audit(DAY, "Atelier", rate)
    assert standing(DAY).conformity is state


def test_without_an_audit_or_with_one_too_old_it_is_not_compliant(settings):
    settings.ACCESSIBILITY_AUDIT = None
    assert standing(DAY).conformity is Conformity.NONE
    settings.ACCESSIBILITY_AUDIT = Audit(DAY, "Atelier", 100)
    assert standing(date(2029, 3, 1)).conformity is Conformity.FULL
    assert standing(date(2029, 3, 2)).conformity is Conformity.NONE
    assert Audit(date(2028, 2, 29), "Atelier", 100).valid_until == date(2031, 3, 1)


def test_an_audit_is_told_whole_or_not_at_all():
    assert audit_told("", "", "") is None
    assert audit_told("2026-03-02", " Atelier ", "83") == Audit(DAY, "Atelier", 83)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (("2026-03-02", "", ""), "READINESS_AUDITED_BY, READINESS_AUDIT_RATE missing"),
        (("2 mars 2026", "Atelier", "83"), "READINESS_AUDITED_ON is a day such as 2027-03-01"),
        (("2026-03-02", "Atelier", "83.5"), "whole number of per cent"),
        (("2026-03-02", "Atelier", "101"), "whole number of per cent"),
        (((date.today() + timedelta(days=2)).isoformat(), "Atelier", "83"), "yet to come"),  # noqa: DTZ011
    ],
)
def test_a_mistyped_audit_is_named(told, said):
    with pytest.raises(ImproperlyConfigured, match=said):
        audit_told(*told)


def test_a_plan_is_an_address():
    assert plan_told("https://example.org/plan") == "https://example.org/plan"
    with pytest.raises(ImproperlyConfigured, match="begins with https://"):
        plan_told("javascript:alert(1)")


def read(client, language: str) -> str:
    return client.get(reverse("accessibility"), headers={"accept-language": language}).text


@pytest.mark.django_db
def test_the_statement_holds_all_that_fails_and_the_rate(client, language):
    page = read(client, language)
    rules = grid()
    for item in (*rules.failing, *rules.not_verified):
        assert f"<strong>{item.number} " in page
    for words in (*(item.failing for item in rules.failing), *rules.stock_admin):
        assert getattr(words, language) in page
    assert f"{rules.tally.rate}{'%' if language == 'en' else chr(160) + '%'}" in page
    assert "75342 Paris CEDEX 07" in page
    assert page.count('<th scope="row">') == len(BY_THEME) + 1


@pytest.mark.django_db
def test_an_audit_of_the_operator_changes_what_every_page_says(client, settings):
    assert (
        "Accessibility: not compliant"
        in client.get("/group/", headers={"accept-language": "en"}).text
    )
    today = timezone.localdate()
    settings.ACCESSIBILITY_AUDIT = Audit(today, "Atelier", 72)
    settings.ACCESSIBILITY_PLAN = "https://example.org/plan"
    assert (
        "Accessibility: partially compliant"
        in client.get("/group/", headers={"accept-language": "en"}).text
    )
    assert (
        "Accessibility: partially compliant"
        in client.get(reverse("account_login"), headers={"accept-language": "en"}).text
    )
    page = read(client, "en")
    assert "An audit by Atelier" in page
    assert "72%" in page
    assert 'href="https://example.org/plan"' in page
    settings.ACCESSIBILITY_AUDIT = Audit(today.replace(year=today.year - 4), "Atelier", 72)
    assert "is more than three years old" in read(client, "en")


@pytest.mark.parametrize("state", [Job.State.WAITING, Job.State.RUNNING])
@pytest.mark.parametrize("work", Job.Work)
def test_that_the_results_open_by_themselves_is_announced(work, state, in_english):
    """Only a publication leads on by itself."""
    job = Job(pk=3, work=work, state=state)
    shown = render_to_string(
        "admin/assessments/cohort/progress.html",
        {"job": job, "cohort": Cohort(pk=1), "phase": Phase(pk=2)},
    )
    announced = "If you stay, the results open by themselves once they are there." in shown
    assert announced is (work is Job.Work.PUBLISH)


def test_the_projectors_page_has_a_skip_link():
    """Beside what the browser sees of it in test_trainer.py, where its focus is on the title."""
    page = (ROOT / "templates/admin/assessments/cohort/debriefing.html").read_text("utf-8")
    body = page.split("<body", 1)[1]
    assert body.index('<a class="skip" href="#main">') < body.index("<header>")
    assert '<main id="main">' in body
