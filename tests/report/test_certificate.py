"""The certificate of positioning, with the real instrument: one tagged page."""

from dataclasses import replace
from datetime import date

import pytest

from assessments import certificates
from assessments.certificates import Certificate
from assessments.questionnaire import Questionnaire
from assessments.scoring.profile import score
from assessments.templatetags.readiness import told
from tests.pdfs import assert_sound, flat, printed

from .cases import FINISHED_ON, KINDS, sheet

pytest.importorskip("weasyprint", reason="WeasyPrint needs Pango", exc_type=OSError)


def certificate(instrument, kind: str = "mixed") -> Certificate:
    form = instrument.forms[0]
    return Certificate(
        asked=Questionnaire(instrument, form),
        profile=score(instrument, form, sheet(instrument, kind)),
        finished_on=FINISHED_ON,
        made_on=date(2026, 12, 24),
        moment="before",
        steps=3,
        body="",
    )


def text(made: Certificate) -> str:
    return printed(lambda: certificates.pdf(made)).text


@pytest.mark.parametrize("kind", KINDS)
def test_with_all_it_can_show_it_keeps_to_one_page(instrument, language, kind):
    long = "Centre hospitalier universitaire et groupement de formation continue " * 3
    made = replace(
        certificate(instrument, kind), shows_results=True, group=long[:120], body=long[:160]
    )
    document = printed(lambda: certificates.pdf(made))
    assert len(document.reader.pages) == 1
    headers = [each for each in assert_sound(document, language) if each["/S"] == "/TH"]
    assert {each["/A"]["/Scope"] for each in headers} == {"/Column", "/Row"}


def test_a_name_of_one_long_word_breaks(instrument, in_english):
    made = replace(certificate(instrument), group="Anticonstitutionnel" * 6, body="x" * 160)
    document = printed(lambda: certificates.pdf(made))
    assert_sound(document, "en")
    assert len(document.reader.pages) == 1


def test_it_says_what_was_completed_and_when(instrument, in_english):
    said = text(certificate(instrument))
    for fact in (
        told(instrument.title),
        "1 December 2026",
        "before the training",
        f"version {instrument.version}, form A",
        "20 of 24",
        "Next steps chosen 3",
        "indicator 8",
        told(instrument.status),
        "Made on 24 December 2026",
        *(told(domain.title) for domain in instrument.domains),
    ):
        assert flat(fact) in said
    assert flat("indicator 11") in text(replace(certificate(instrument), moment="after"))


def test_two_people_with_other_answers_have_the_same_one(instrument, in_english):
    """No result shows through: neither a figure nor a level, nor a risk."""
    perfect, unsafe = certificate(instrument, "perfect"), certificate(instrument, "unsafe")
    assert text(perfect) == text(unsafe)
    assert text(replace(perfect, shows_results=True)) != text(replace(unsafe, shows_results=True))
