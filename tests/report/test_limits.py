"""Who set the limits between levels is said beside the levels, and "provisional" until then."""

from dataclasses import replace
from datetime import date

import msgspec
import pytest
from django.template.loader import render_to_string

from assessments.cohort_tables import book
from assessments.instrument.document import Instrument, Panel
from assessments.instrument.loading import load
from assessments.scoring.scores import OVERALL, VersionCalibration
from tests.conftest import SEEDS
from tests.exports.groups import SUBJECT, results

from .cases import report
from .test_certificate import certificate

SAID = {
    "en": "by a panel of 7 judges on 1 December 2026, with standard errors of 1.8 and 2.0 points",
    "fr": "par un panel de 7 juges le 1er décembre 2026, avec des erreurs types de 1,8 et 2,0",
}
BASIS = {"en": "Judged by seven.", "fr": "Jugé par sept."}


@pytest.fixture(scope="module")
def provisional() -> Instrument:
    return load(SEEDS)


@pytest.fixture(scope="module")
def adopted(provisional) -> Instrument:
    panel = Panel(7, date(2026, 12, 1), "2026.1", "A", operational_error=1.8, expert_error=2.0)
    cuts = msgspec.structs.replace(provisional.cuts, provisional=False, basis=BASIS, panel=panel)
    return msgspec.structs.replace(provisional, version="2027.1", cuts=cuts)


def pages(instrument: Instrument) -> dict[str, str]:
    """What a person reads of their own results, and what anybody reads of the method."""
    made = report(instrument)
    names = ("brief", "domains", "method")
    own = {
        name: render_to_string(f"assessments/report/{name}.html", {"report": made})
        for name in names
    }
    group = replace(results("thirty"), instrument=instrument)
    levels = next(table for table in book(group, SUBJECT).tables if table.code == "levels")
    return own | {
        "group": render_to_string("assessments/cohort/standing.html", {"results": group}),
        "file": " ".join(levels.notes),
        "certificate": render_to_string(
            "assessments/certificate/document.html",
            {"certificate": replace(certificate(instrument), shows_results=True)},
        ),
        "public": render_to_string(
            "assessments/method.html",
            {"instrument": instrument, "version": {"published_on": date(2026, 12, 1)}},
        ),
    }


@pytest.mark.parametrize("where", ["brief", "certificate", "group", "file"])
def test_the_panel_is_said_beside_the_levels(adopted, language, where):
    text = pages(adopted)[where]
    assert SAID[language] in text


@pytest.mark.parametrize("where", ["domains", "method", "public"])
def test_what_the_cuts_rest_on_is_printed_with_them(adopted, language, where):
    assert BASIS[language] in pages(adopted)[where]


def test_provisional_is_said_exactly_as_long_as_it_is_true(provisional, adopted, language):
    word = {"en": "rovisional", "fr": "rovisoires"}[language]
    before, after = pages(provisional), pages(adopted)
    assert {name for name, text in before.items() if word in text} == set(before)
    assert not [name for name, text in after.items() if word in text]


@pytest.mark.parametrize("where", ["domains", "group", "file"])
def test_that_the_third_level_awaits_a_calibration_is_said(provisional, in_english, where):
    said = {
        "domains": "The level “Lead” is not named alone until this version",
        "group": "nobody is placed at “Lead” alone, but at most between “Operational” and “Lead”.",
    }
    assert said.get(where, said["group"]) in pages(provisional)[where]


def test_a_calibrated_report_names_the_third_level(provisional, in_english):
    codes = [*(domain.code for domain in provisional.domains), OVERALL]
    known = VersionCalibration(
        sem=dict.fromkeys(codes, 9.0),
        omega=dict.fromkeys(codes, 0.9),
        mean=dict.fromkeys(codes, 60.0),
        n=412,
        date=date(2027, 3, 1),
    )
    made = report(provisional, "perfect", calibration=known)
    assert [standing.score.level.code for standing in made.standings] == ["3"] * 3
    text = render_to_string("assessments/report/domains.html", {"report": made})
    assert "not named alone" not in text
