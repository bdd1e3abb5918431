from datetime import date

import pytest
from django.utils import translation

from assessments.scoring.levels import LevelOutcome
from assessments.templatetags import readiness


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (LevelOutcome((2,), (0.1, 0.85, 0.05), False), "Operational"),
        (
            LevelOutcome((1, 2), (0.5, 0.4, 0.1), False),
            "between two levels: Developing and Operational",
        ),
        (None, "no answer"),
    ],
)
def test_standing(outcome, words):
    assert readiness.standing(outcome) == words


@pytest.mark.parametrize(
    ("credit", "words"),
    [(0.0, "0 points"), (0.5, "0.5 point"), (1.0, "1 point"), (5.5, "5.5 points")],
)
def test_points(credit, words):
    assert readiness.points(credit) == words


@pytest.mark.parametrize(
    ("value", "places", "words"),
    [(12.4, 0, "+12"), (-12.6, 0, "−13"), (0.2, 0, "0"), (-0.2, 0, "0"), (-0.1789, 3, "−0.179")],
)
def test_signed(value, places, words):
    assert readiness.signed(value, places) == words


def test_what_is_missing_is_an_empty_text():
    assert [f(None) for f in (readiness.signed, readiness.percent, readiness.points)] == [""] * 3


def test_days_are_written_in_full():
    assert readiness.day(date(2026, 12, 1)) == "1 December 2026"
    with translation.override("fr"):
        assert readiness.day(date(2026, 12, 1)) == "1er décembre 2026"
        assert readiness.day(date(2026, 11, 11)) == "11 novembre 2026"


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("note mes doutes", "je note mes doutes"),
        ("écris mon avis", "j’écris mon avis"),
        ("en parle", "j’en parle"),
        ("hésite avant de signer", "j’hésite avant de signer"),
        ("hiérarchise les alertes", "je hiérarchise les alertes"),
    ],
)
def test_french_elides_the_first_person(deed, words):
    with translation.override("fr"):
        assert readiness.i_will(deed) == words


def test_english_does_not():
    assert readiness.i_will("open the record") == "I will open the record"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (
            "fr",
            'Goddard AT, et al. <span lang="en">Bias of &lt;the&gt; tool.</span> BMJ, 2012 ; '
            "lu dans le résumé.",
        ),
        (
            "en",
            "Goddard AT, et al. Bias of &lt;the&gt; tool. BMJ, 2012 ; "
            '<span lang="fr">lu dans le résumé.</span>',
        ),
    ],
)
def test_a_citation_says_which_of_its_sentences_are_in_another_language(page, said):
    citation = "Goddard AT, et al. Bias of <the> tool. BMJ, 2012 ; lu dans le résumé."
    with translation.override(page):
        assert readiness.spoken(citation) == said
