"""How good a form is as a measure: what authors read of it, who may, and from what."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assessments.admin.quality import lines
from assessments.cohort.quality import Quality, quality
from assessments.instruments import instrument_of, keep_calibration
from assessments.models import Calibration, Sitting
from assessments.quality_charts import LEFT, RIGHT, in_order, item_map
from assessments.roles import make_author
from assessments.templatetags.quality import advice
from assessments.wall import WallError, guard
from tests.cohort.people import people
from tests.instrument.example import example_instrument

from .conftest import TODAY, browser, user
from .markup import read

pytestmark = pytest.mark.django_db


@pytest.fixture
def author(db):
    person = user("author")
    make_author(person)
    return person


@pytest.fixture
def study(author):
    """The author's browser."""
    return browser(author)


@cache
def measured() -> Quality:
    """The form A on 400 people, of whom half answer in English."""
    instrument = example_instrument(("A", "B"))
    groups = {"language": ["fr", "en"] * 200}
    return quality(instrument, "A", people(instrument, 400, 3).sheets, groups, TODAY)


@pytest.fixture
def found(version) -> Quality:
    """The form A, calibrated."""
    keep_calibration(version, measured())
    return measured()


def overview(version) -> str:
    return reverse("admin:assessments_instrumentversion_quality", args=(version.pk,))


def whole(made: Calibration) -> str:
    return reverse(
        "admin:assessments_instrumentversion_calibration", args=(made.version_id, made.pk)
    )


@pytest.mark.parametrize("who", ["author", "operator"])
def test_authors_and_those_who_run_the_service_read_it(request, version, found, who):
    client = browser(request.getfixturevalue(who))
    for page in (overview(version), whole(Calibration.objects.get())):
        assert client.get(page).status_code == 200


def test_nobody_else_does(version, found, desk):
    for page in (overview(version), whole(Calibration.objects.get())):
        assert desk.get(page).status_code == 403
        assert browser().get(page).status_code == 302


def test_what_does_not_exist_is_not_found(version, found, study):
    made = Calibration.objects.get()
    assert study.get(overview(version).replace(f"/{version.pk}/", "/99/")).status_code == 404
    name = "admin:assessments_instrumentversion_calibration"
    assert study.get(reverse(name, args=(version.pk, made.pk + 1))).status_code == 404


def test_the_pages_of_a_version_lead_to_it(version, study):
    change = reverse("admin:assessments_instrumentversion_change", args=(version.pk,))
    for page in (change, reverse("admin:assessments_instrumentversion_changelist")):
        assert f'href="{overview(version)}"' in study.get(page, follow=True).content.decode()


def test_before_any_calibration_it_says_what_is_needed_and_counts_nobody(version, study):
    page = read(study.get(overview(version)))
    assert page.text.count("Not calibrated yet. It takes 200 people") == 2  # forms A and B
    assert "manage.py calibrate" in page.text


def test_no_page_reads_a_sitting(version, found, study):
    """The wall would refuse it; here is what it stands before."""
    with pytest.raises(WallError):
        guard(lambda *args: None, Sitting.objects.all().query.sql_with_params()[0], (), False, {})
    with CaptureQueriesContext(connection) as queries:
        for page in (overview(version), whole(Calibration.objects.get())):
            assert study.get(page).status_code == 200
    assert len(queries) > 5
    assert not [each for each in queries if Sitting._meta.db_table in each["sql"]]


def test_it_says_how_far_results_can_be_trusted(version, found, study):
    page = read(study.get(whole(Calibration.objects.get())))
    assert "on the answers of at least 400 people" in page.text
    assert "once 100 more people have completed it" in page.text
    assert "Reports of this form rest on it." in page.text
    for scale in found.scales:
        row = (
            f"{scale.items} {scale.mean:.1f} {scale.sd:.1f} "
            f"{scale.alpha.value:.2f} ({scale.alpha.lower:.2f} to {scale.alpha.upper:.2f}) "
            f"{scale.omega.value:.2f} ({scale.omega.lower:.2f} to {scale.omega.upper:.2f}) "
            f"{scale.sem:.1f}"
        )
        assert row in page.text


def test_every_situation_has_its_figures_its_options_and_its_advice(version, found, study):
    page = read(study.get(whole(Calibration.objects.get())))
    every = lines(instrument_of(version.digest), found)
    assert len(every) == 24
    assert any(line.remarks for line in every)
    for line in every:
        assert page.source.count(f'id="situation-{line.number}"') == 1
        for remark in line.remarks:
            assert advice(remark) in page.text
        assert [choice.letter for choice in line.choices] == ["A", "B", "C", "D", ""]
    shown = page.source.partition('id="items"')[2].partition('id="groups"')[0]
    assert shown.count("<tr>") == 25
    assert "≤ 5%" in page.text or all(
        choice.chosen.percent > 5 for line in every for choice in line.choices
    )


def test_groups_are_named_in_the_readers_words(version, found, study):
    (comparison,) = found.comparisons
    assert {comparison.focal, comparison.reference} == {"fr", "en"}
    focal, other = ("French", "English") if comparison.focal == "fr" else ("English", "French")
    page = read(study.get(whole(Calibration.objects.get())))
    assert f"By language: {focal} beside {other}" in page.text


def test_the_map_says_its_data_first_and_stands_on_its_scale(version, found, study):
    page = read(study.get(whole(Calibration.objects.get())))
    hardest, easiest = in_order(found.items)[0], in_order(found.items)[-1]
    (title,) = page.titles
    assert f"from the hardest, {hardest.code}," in title
    assert f"to the easiest, {easiest.code}," in title
    chart = item_map(found)
    assert [row.name for row in chart.rows] == [item.code for item in in_order(found.items)]
    for row in chart.rows:
        assert LEFT <= float(row.first) <= float(row.x) <= float(row.last) <= RIGHT
        assert all(float(row.first) <= float(at) <= float(row.last) for at in row.thresholds)
    assert [float(row.x) for row in chart.rows] == sorted(
        (float(row.x) for row in chart.rows), reverse=True
    )
    for bar in chart.bars:
        assert LEFT <= float(bar.x) < float(bar.x) + float(bar.width) <= RIGHT
        assert float(bar.y) + float(bar.height) == pytest.approx(chart.foot, abs=0.11)
    tallest = max(chart.bars, key=lambda bar: float(bar.height))
    commonest = max(found.map.classes, key=lambda each: each.share)
    assert chart.bars.index(tallest) == found.map.classes.index(commonest)


def test_the_pages_hold_no_style_and_no_script_of_their_own(version, found, study):
    for address in (overview(version), whole(Calibration.objects.get())):
        page = read(study.get(address))
        assert page.styled == []
        assert page.scripted == []


def test_a_calibration_that_another_has_followed_says_so(version, found, study, today):
    later = msgspec.structs.replace(found, made_on=TODAY + timedelta(days=40), n=600)
    keep_calibration(version, later)
    first, last = Calibration.objects.order_by("made_on")
    assert "Another has followed it" in read(study.get(whole(first))).text
    assert "Reports of this form rest on it." in read(study.get(whole(last))).text
    page = read(study.get(overview(version)))
    assert page.text.index("3 January 2027") < page.text.index("24 November 2026")
