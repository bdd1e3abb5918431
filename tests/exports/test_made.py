"""Files asked for from end to end: of a phase, of a cohort, by name."""

import io
import json
from datetime import timedelta

import openpyxl
import pytest
from django.urls import reverse
from django.utils import translation
from pypdf import PdfReader

from assessments import cohort_exports, cohorts, press, releases
from assessments.cohort_tables import book
from assessments.limits import Limit
from assessments.models import Event, Phase
from assessments.roles import make_trainer
from assessments.views import limited
from tests.admin.conftest import TODAY, browser, user
from tests.pdfs import assert_sound, flat, printed, text_of

LINK = "https://readiness.example.org/group/"


@pytest.fixture
def closed(phase, trainer, answer) -> Phase:
    """A phase that 24 people have answered, read by its trainer's page."""
    answer(phase, 24)
    releases.close(phase, trainer)
    return Phase.objects.select_related("cohort", "version").get(pk=phase.pk)


def test_the_files_hold_what_the_page_is_given(closed, language):
    found = cohort_exports.results_of_phase(closed)
    content = book(found, cohort_exports.subject_of(closed))
    sheets = openpyxl.load_workbook(io.BytesIO(cohort_exports.made("results.xlsx", closed)))
    document = json.loads(cohort_exports.made("results.json", closed))
    text = cohort_exports.made("results.csv", closed).decode("utf-8-sig")
    assert sheets.sheetnames[1:] == [table.title for table in content.tables]
    assert [table["code"] for table in document["tables"]] == [t.code for t in content.tables]
    assert {table.code for table in content.tables} <= {
        line.split('"')[1] for line in text.splitlines()
    }
    means = document["tables"][0]["rows"]
    assert [row["cells"]["mean"]["value"] for row in means] == [
        round(item.mean.estimate.value) for item in found.domains
    ]
    assert document["about"]["cohort"]["value"] == closed.cohort.name


@pytest.mark.parametrize("name", ["results.xlsx", "results.csv", "results.json"])
def test_a_file_is_the_same_whenever_it_is_made(closed, in_english, today, name):
    first = cohort_exports.made(name, closed)
    today(TODAY + timedelta(days=40))
    assert cohort_exports.made(name, closed) == first


def test_a_file_holds_no_code_of_the_group_nor_any_noised_count(closed, in_english):
    """A release's own counts are finer than what is printed of them."""
    [release] = releases.published(closed)
    counts = {size for table in release.options for _cell, size in table.cells if size % 5}
    assert counts
    document = cohort_exports.made("results.json", closed).decode()
    assert closed.cohort.code not in document
    assert '"options":' not in document
    shares = [
        row["cells"]["share"]["value"]
        for table in json.loads(document)["tables"]
        if table["code"] == "situations"
        for row in table["rows"]
    ]
    assert shares
    assert not counts & set(shares)


@pytest.mark.parametrize("name", ["../results.pdf", "results.docx", "poster"])
def test_an_unknown_name_is_refused(closed, name):
    with pytest.raises(KeyError):
        cohort_exports.made(name, closed)


@pytest.mark.parametrize("name", cohort_exports.NAMES)
def test_of_nothing_published_nothing_is_made(phase, name):
    with pytest.raises(ValueError, match="nothing is published"):
        cohort_exports.made(name, phase)


def test_the_pdf_of_a_phase(closed, in_english):
    pytest.importorskip("weasyprint", exc_type=OSError)
    document = printed(lambda: cohort_exports.made("results.pdf", closed))
    assert_sound(document, "en")
    assert flat(closed.cohort.name) in document.text


def test_the_file_for_the_auditor_holds_every_moment_of_the_cohort(
    closed, cohort, trainer, answer, in_english
):
    pytest.importorskip("weasyprint", exc_type=OSError)
    after = Phase(cohort=cohort, kind=Phase.Kind.AFTER, opens_on=TODAY)
    cohorts.plan(after, trainer)
    answer(after, 10)
    releases.close(after, trainer)
    follow_up = Phase(cohort=cohort, kind=Phase.Kind.FOLLOW_UP, opens_on=TODAY + timedelta(days=56))
    cohorts.plan(follow_up, trainer)
    document = printed(lambda: cohort_exports.made(cohort_exports.QUALIOPI, closed))
    assert_sound(document, "en")
    text = document.text
    assert flat("nothing is published: fewer than 11") in text
    assert flat("planned: 19 January 2027") in text
    assert releases.published(closed)[0].at_least == 20


def poster(cohort, link: str = LINK) -> PdfReader:
    pytest.importorskip("weasyprint", exc_type=OSError)
    return PdfReader(io.BytesIO(cohort_exports.poster(cohort, link)))


def test_the_poster_says_how_to_join_on_one_page(phase, cohort, language):
    pytest.importorskip("weasyprint", exc_type=OSError)
    document = printed(lambda: cohort_exports.poster(cohort, LINK + cohort.code))
    found = assert_sound(document, language)
    reader = document.reader
    assert len(reader.pages) == 1
    assert sum(element["/S"] == "/Figure" for element in found) == 1
    text = text_of(reader)
    assert LINK + cohort.code in text
    assert f"{cohort.code[:4]}-{cohort.code[4:]}" in text
    assert cohort.name not in text
    assert cohort.code not in str(reader.metadata)


def test_the_poster_says_until_when(phase, cohort, in_english, today):
    assert flat("Open until 8 December 2026") in text_of(poster(cohort))
    today(TODAY - timedelta(days=3))
    assert flat("Open from 24 November 2026 to 8 December 2026") in text_of(poster(cohort))
    Phase.objects.update(closes_on=None)
    assert flat("Open from 24 November 2026") in text_of(poster(cohort))
    Phase.objects.update(closed_on=TODAY)
    assert "Open" not in text_of(poster(cohort))


def test_a_long_address_leaves_the_poster_on_its_page(phase, cohort):
    for language in ("fr", "en"):
        with translation.override(language):
            reader = poster(cohort, "https://" + "evaluation-formation." * 5 + "example.org/g/ABCD")
            assert len(reader.pages) == 1


@pytest.mark.parametrize("name", ["poster.pdf", "qualiopi.pdf", "results.csv"])
def test_an_account_has_files_made_so_often_at_most(closed, desk, name, monkeypatch):
    colleague = user("colleague")
    make_trainer(colleague)
    closed.cohort.trainers.add(colleague)
    cohort = reverse("admin:assessments_cohort_change", args=(closed.cohort_id,))
    under = cohort.replace("change/", "")
    address = under + (f"phases/{closed.pk}/results/{name}" if name == "results.csv" else name)
    monkeypatch.setattr(limited, "STAFF_FILES", Limit("few", 2, timedelta(days=365)))
    monkeypatch.setattr(press, "pdf", lambda *_args: b"%PDF-")
    assert [desk.get(address).status_code for _time in range(4)] == [200, 200, 429, 429]
    refused = desk.get(address)
    assert int(refused.headers["Retry-After"]) > 0
    assert limited.words(int(refused.headers["Retry-After"])) in refused.text
    assert cohort in refused.text
    assert browser(colleague).get(address).status_code == 200


@pytest.mark.parametrize("name", ["poster.pdf", "qualiopi.pdf", "results.pdf"])
def test_at_a_crush_the_trainer_is_asked_to_come_again(closed, desk, name, monkeypatch):
    pytest.importorskip("weasyprint", exc_type=OSError)
    cohort = reverse("admin:assessments_cohort_change", args=(closed.cohort_id,))
    under = cohort.replace("change/", "")
    address = f"{under}phases/{closed.pk}/results/{name}" if name == "results.pdf" else under + name
    monkeypatch.setattr(press, "PATIENCE", 0.01)
    with press._printing:
        page = desk.get(address, follow=True)
    assert page.redirect_chain == [(cohort, 302)]
    assert [str(message) for message in page.context["messages"]] == [
        "Several reports are being printed. Please ask for this one again."
    ]
    assert not Event.objects.filter(action=Event.Action.EXPORTED).exists()
    monkeypatch.undo()
    assert desk.get(address).content.startswith(b"%PDF")
