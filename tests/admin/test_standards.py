"""A panel sets cut scores: from the first seat to the version that is published with them."""

import csv
import re

import msgspec
import pytest
from django.contrib import admin
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from assessments import standards
from assessments.instrument.document import decode, encode
from assessments.instruments import current, instrument_of, publish
from assessments.models import Estimate, Event, InstrumentVersion, Judge, StandardStudy
from assessments.roles import make_author, make_judge
from assessments.templatetags.readiness import limits_from

from .conftest import TODAY, browser, user
from .markup import read

NAMES = ("ada", "bea", "cleo", "dora", "emma", "fanny", "gina")
PROFESSIONS = ("nurse", "nurse", "nurse", "nurse", "physician", "physician", "manager")


def at(study: StandardStudy, page: str = "change", *more: object) -> str:
    return reverse(f"admin:assessments_standardstudy_{page}", args=(study.pk, *more))


@pytest.fixture
def author(db):
    person = user("author")
    make_author(person)
    return person


@pytest.fixture
def office(author):
    """The author's browser."""
    return browser(author)


@pytest.fixture
def judges(db):
    people = [user(name) for name in NAMES]
    for person in people:
        make_judge(person)
    return people


@pytest.fixture
def study(version, office) -> StandardStudy:
    there = reverse("admin:assessments_standardstudy_add")
    assert "example 1.0, form B" in office.get(there).text
    sent = office.post(there, {"rated": f"{version.pk} B"})
    made = StandardStudy.objects.get()
    assert sent.url == at(made)
    return made


def seat(office, study, name: str, profession: str):
    sent = {"judge-username": name, "judge-profession": profession}
    return office.post(at(study, "judges"), sent)


@pytest.fixture
def panel(study, office, judges):
    """The judges' browsers; each has practised."""
    for name, profession in zip(NAMES, PROFESSIONS, strict=True):
        seat(office, study, name, profession)
    Judge.objects.update(practised=True)
    return [browser(person) for person in judges]


def estimate(client, study, number: int, operational: object, expert: object, **more: object):
    sent = {"operational": operational, "expert": expert, **more}
    return client.post(at(study, "situation", number), sent)


def think(client, study, number: int):
    code = standards.scenarios(study)[number - 1].code
    return client.post(at(study, "situation", number), {f"answer-{code}": "a"})


def estimate_all(study, person, number: int, operational: int, expert: int) -> None:
    """A judge's whole round, all scenarios alike."""
    judge = study.judges.get(user=person)
    judge.study = StandardStudy.objects.get(pk=study.pk)
    for item in standards.scenarios(study):
        standards.estimate(judge, number, item.code, operational, expert)


def fill(study, person, number: int, operational: int, expert: int) -> None:
    """The same, soon: the first estimate as a judge gives it, the others as it is then kept."""
    judge = study.judges.get(user=person)
    first, *others = standards.scenarios(study)
    standards.estimate(judge, number, first.code, operational, expert)
    given = Estimate.objects.values("operational", "expert").get(
        judge=judge, round=number, scenario=first.code
    )
    Estimate.objects.bulk_create(
        Estimate(judge=judge, round=number, scenario=item.code, **given) for item in others
    )


def move(office, study, state: str):
    office.post(at(study, "move", state))
    study.refresh_from_db()
    return study


def through(office, study, judges, *, second: int) -> StandardStudy:
    """All through: judge by judge five points more, then the first ``second`` of them again."""
    for place, person in enumerate(judges):
        fill(study, person, 1, 40 + 5 * place, 70)
    move(office, study, "discussion")
    move(office, study, "round-2")
    for person in judges[:second]:
        fill(study, person, 2, 60, 75)
    return move(office, study, "closed")


# --- The whole of it -----------------------------------------------------------------------------


def test_a_whole_study(version, study, office, author, judges):
    total = len(standards.scenarios(study))
    for name, profession in zip(NAMES, PROFESSIONS, strict=True):
        assert seat(office, study, name, profession).status_code == 302
    seats = [browser(person) for person in judges]

    # Round 1, by the pages: the first judge practises, answers alone, then estimates.
    first = seats[0]
    assert first.get(at(study, "instructions")).status_code == 200
    assert first.get(at(study, "situation", 1)).status_code == 302  # not before practice
    practice = standards.practice(study).code
    assert practice not in {item.code for item in standards.scenarios(study)}
    alone = first.get(at(study, "practice")).text
    assert "example.org" not in alone
    keyed = first.post(at(study, "practice"), {f"answer-{practice}": "a"})
    assert "Best option" in keyed.text
    assert first.post(at(study, "practice"), {"operational": 60, "expert": 80}).url == at(study)
    assert not Estimate.objects.exists()  # nothing of it is kept
    for number in range(1, total + 1):
        assert "Best option" not in first.get(at(study, "situation", number)).text
        assert think(first, study, number).url == at(study, "situation", number)
        assert "Best option" in first.get(at(study, "situation", number)).text
        sent = estimate(first, study, number, 50, 75)
        assert sent.url == (at(study, "situation", number + 1) if number < total else at(study))
    Judge.objects.update(practised=True)
    for place, person in enumerate(judges[1:], 1):
        estimate_all(study, person, 1, 50 + 5 * (place % 3), 75)
    page = office.get(at(study)).text
    assert all(name in page for name in NAMES)

    # Discussion.
    move(office, study, "discussion")
    assert "Standard error" in office.get(at(study, "figures")).text
    office.post(at(study, "notes"), {"notes": "Situation 3 is harder at night."})

    # Round 2: six of seven finish.
    move(office, study, "round-2")
    seen = first.get(at(study, "situation", 1)).text
    assert "Situation 3 is harder at night." in seen
    assert "Median of the panel" in seen
    assert 'value="50"' in seen  # one's own first estimate, to keep or change
    for number in range(1, total + 1):
        estimate(first, study, number, 55, 80)
    for person in judges[1:6]:
        estimate_all(study, person, 2, 55, 80)
    asked = {
        f"{level}-{name}": value
        for level in ("operational", "expert")
        for name, value in (
            ("lowest_cut", 50),
            ("highest_cut", 90),
            ("lowest_share", 10),
            ("highest_share", 60),
        )
    }
    assert first.post(at(study, "acceptable"), asked).url == at(study)
    told = Judge.objects.get(user=judges[0]).acceptable
    move(office, study, "closed")
    assert "their mean is shown from 5 on" in office.get(at(study, "figures")).text
    study.judges.update(acceptable=told)

    figures = read(office.get(at(study, "figures"))).text
    assert "6 judges finished both rounds. 1 other did not finish" in figures
    assert "The panel’s cut score lies within." in figures

    # Adoption.
    shown = office.get(at(study, "adopt"))
    assert "standard errors of" in shown.text
    done = office.post(at(study, "adopt"), {"version": "1.1"})
    assert done.url == at(study)
    study.refresh_from_db()
    made = InstrumentVersion.objects.get(version="1.1")
    assert (study.state, study.adopted, current()) == ("adopted", made, made)
    before, after = instrument_of(version.digest), instrument_of(made.digest)
    assert (after.cuts.operational, after.cuts.expert, after.cuts.provisional) == (55, 80, False)
    assert (after.cuts.panel.judges, after.cuts.panel.set_on) == (6, TODAY)
    assert after.cuts.panel.operational_error == 1.8  # the first round's, for the second has none
    assert [
        name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)
    ] == ["version", "cuts"]
    assert decode(encode(after)) == after
    assert set(after.cuts.basis) == {"fr", "en"}
    assert "6 professionals" in after.cuts.basis["en"]
    assert "nurse (4), physician (2)" in after.cuts.basis["en"]
    assert limits_from(before.cuts) == "The limits between levels are provisional."
    acts = list(Event.objects.filter(action__startswith="study").values_list("action", flat=True))
    assert acts == [
        "study-adopted",
        "study-moved",
        "study-moved",
        "study-noted",
        "study-moved",
        "study-opened",
    ]
    assert Event.objects.filter(action="judge-appointed", actor=author).count() == 7
    for client in (office, first):
        assert client.get(at(study)).status_code == 200


# --- Nothing is lost, nothing slips in -----------------------------------------------------------


@pytest.mark.parametrize(
    ("operational", "expert", "said"),
    [
        ("", "80", "This field is required."),
        ("60", "55", "A lead would earn at least as much"),
        ("62", "80", "Estimates go in fives"),
        ("60", "105", "less than or equal to 100"),
        ("-5", "80", "greater than or equal to 0"),
        ("much", "80", "Enter a whole number."),
    ],
)
def test_what_cannot_be_taken_in_is_shown_again(study, panel, operational, expert, said):
    think(panel[0], study, 1)
    answer = estimate(panel[0], study, 1, operational, expert)
    assert answer.status_code == 422
    assert said in answer.text
    kept = re.findall(r'<input type="number" name="\w+"(?: value="([^"]*)")?', answer.text)
    assert kept == [operational, expert]
    assert Estimate.objects.get().operational is None


def test_an_estimate_below_chance_is_asked_about_and_then_kept(study, panel):
    think(panel[0], study, 1)
    asked = estimate(panel[0], study, 1, 30, 80)
    assert asked.status_code == 422
    assert "Blind guessing earns 37.5 here." in asked.text
    assert 'name="sure"' in asked.text
    assert estimate(panel[0], study, 1, 30, 80, sure="on").status_code == 302
    kept = Estimate.objects.get()
    assert (kept.operational, kept.expert) == (30, 80)
    think(panel[0], study, 2)
    assert 'name="sure"' not in estimate(panel[0], study, 2, "", 80).text


def test_no_key_before_an_answer_of_ones_own(study, panel):
    sent = estimate(panel[0], study, 1, 60, 80)
    assert sent.status_code == 422
    assert "before you read the key" in sent.text
    assert not Estimate.objects.exists()


def test_a_closed_round_takes_nothing_in(study, panel, judges, office):
    for place, person in enumerate(judges[:2]):
        fill(study, person, 1, 50 + 5 * place, 70)
    stale = study.judges.get(user=judges[0])
    move(office, study, "discussion")
    assert estimate(panel[0], study, 1, 90, 95).url == at(study)
    with pytest.raises(standards.StudyError):
        standards.estimate(stale, 1, standards.scenarios(study)[0].code, 90, 95)
    assert set(Estimate.objects.values_list("operational", flat=True)) == {50, 55}


def test_the_database_itself_refuses_an_expert_below_an_operational(study, panel):
    judge = Judge.objects.first()
    for operational, expert in ((60, 55), (60, 101), (60, None), (None, 60)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Estimate.objects.create(
                judge=judge, round=1, scenario="A1-1", operational=operational, expert=expert
            )


@pytest.mark.parametrize("state", ["round-2", "closed", "adopted", "round-1"])
def test_a_study_moves_in_its_order_alone(study, panel, judges, office, state):
    for person in judges:
        fill(study, person, 1, 60, 70)
    assert move(office, study, state).state == "round-1"


def test_a_round_without_estimates_does_not_close(study, panel, judges, office):
    fill(study, judges[0], 1, 60, 70)
    assert move(office, study, "discussion").state == "round-1"
    assert move(office, study, "abandoned").state == "abandoned"


def test_who_did_not_finish_the_first_round_is_not_in_the_second(study, panel, judges, office):
    for person in judges[:3]:
        fill(study, person, 1, 60, 70)
    think(panel[3], study, 1)
    move(office, study, "discussion")
    move(office, study, "round-2")
    assert estimate(panel[3], study, 1, 60, 80).url == at(study)
    assert not Estimate.objects.filter(round=2).exists()
    assert "for those who finished the first" in panel[3].get(at(study)).text


def test_judges_are_appointed_by_their_own_name_and_only_while_it_is_early(
    study, office, judges, trainer, author
):
    for name in ("nobody", "trainer", "author"):
        answer = seat(office, study, name, "nurse")
        assert answer.status_code == 422
        assert f'value="{name}"' in answer.text
    assert not Judge.objects.exists()
    seat(office, study, "ada", "nurse")
    seat(office, study, "ada", "physician")
    assert Judge.objects.get().profession == "nurse"
    seat(office, study, "bea", "nurse")
    for person in judges[:2]:
        fill(study, person, 1, 60, 70)
    move(office, study, "discussion")
    seat(office, study, "cleo", "nurse")
    assert Judge.objects.count() == 2


# --- What judges and authors see -----------------------------------------------------------------


def test_the_panel_is_shown_from_five_judges_on(study, panel, judges, office):
    for person in judges[:4]:
        fill(study, person, 1, 60, 70)
    move(office, study, "discussion")
    assert "Panel, first round" not in panel[0].get(at(study)).text


def test_no_name_stands_beside_an_estimate(study, panel, judges, office):
    for place, person in enumerate(judges):
        fill(study, person, 1, 40 + 5 * place, 70)
    move(office, study, "discussion")
    desk = panel[0].get(at(study)).text
    assert "Panel, first round" in desk
    office.get(at(study))  # where names do stand, with how far each judge is
    figures = office.get(at(study, "figures")).text
    for name in NAMES[1:]:
        assert name not in desk
        assert name not in figures


def test_the_file_holds_what_counts_and_no_more(study, panel, judges, office):
    through(office, study, judges, second=6)
    study.judges.filter(user__in=judges[:2]).update(
        acceptable={level: [40, 80, 0, 100] for level in standards.LEVELS}
    )
    rows = list(csv.DictReader(office.get(at(study, "evidence")).text.splitlines()))
    # Gina did not finish, and those who run the study know it: hers would be hers by name.
    assert len({row["judge"] for row in rows}) == 6
    assert [row["measure"] for row in rows].count("estimate") == 6 * 24 * 2
    first = {row["operational"] for row in rows if row["round"] == "1"}
    assert first == {str(40 + 5 * place) for place in range(6)}
    assert [row["expert"] for row in rows if row["measure"] == "highest cut"] == ["80", "80"]
    assert not [cell for row in rows for cell in row.values() if cell in NAMES + PROFESSIONS]
    assert Event.objects.filter(action="study-exported").count() == 1


def test_no_figures_while_the_first_round_is_open_and_no_file_before_the_end(
    study, panel, judges, office
):
    for person in judges:
        fill(study, person, 1, 60, 70)
    assert office.get(at(study, "figures")).url == at(study)
    for state in ("discussion", "round-2"):
        assert office.get(at(study, "evidence")).url == at(study)
        move(office, study, state)
    assert office.get(at(study, "evidence")).url == at(study)
    move(office, study, "abandoned")
    assert office.get(at(study, "evidence")).status_code == 200


def test_a_judge_sees_the_words_meant_for_their_profession(study, panel, judges, monkeypatch):
    scenario = standards.scenarios(study)[0]
    told = []
    monkeypatch.setattr(
        type(scenario), "worded_for", lambda item, profession: told.append(profession) or item
    )
    panel[4].get(at(study, "situation", 1))
    assert set(told) == {"physician"}


# --- Adoption ------------------------------------------------------------------------------------


def test_five_judges_are_too_few(study, panel, judges, office):
    through(office, study, judges, second=5)
    assert "cannot be adopted" in office.get(at(study, "figures")).text
    assert office.post(at(study, "adopt"), {"version": "1.1"}).url == at(study)
    with pytest.raises(standards.StudyError):
        standards.adopt(study, "1.1", judges[0])
    assert InstrumentVersion.objects.count() == 1


@pytest.mark.parametrize("number", ["1.0", "", "one two", "x" * 21, "<b>"])
def test_a_version_number_that_cannot_serve_is_shown_again(study, panel, judges, office, number):
    through(office, study, judges, second=7)
    answer = office.post(at(study, "adopt"), {"version": number})
    assert answer.status_code == 422
    assert InstrumentVersion.objects.count() == 1
    assert StandardStudy.objects.get().state == "closed"


def test_what_is_adopted_says_who_set_it(study, panel, judges, office, language):
    through(office, study, judges, second=7)
    office.post(at(study, "adopt"), {"version": "1.1"})
    cuts = instrument_of(InstrumentVersion.objects.get(version="1.1").digest).cuts
    # The first round's standard error: SD of 40, 45, … 70 is 10.8, over √7.
    assert (cuts.operational, cuts.panel.operational_error) == (60, 4.1)
    with translation.override(language):
        printed = limits_from(cuts)
    assert "7" in printed
    assert ("4,1" if language == "fr" else "4.1") in printed
    assert "4,1" in cuts.basis["fr"]
    assert "4.1" in cuts.basis["en"]


def test_cuts_that_are_one_are_not_adopted(study, panel, judges, office):
    for number, state in ((1, "discussion"), (2, "closed")):
        for person in judges:
            fill(study, person, number, 60, 60)
        move(office, study, state)
        if number == 1:
            move(office, study, "round-2")
    answer = office.post(at(study, "adopt"), {"version": "1.1"})
    assert "not apart" in answer.text
    assert InstrumentVersion.objects.count() == 1


def test_a_version_served_no_longer_is_adopted_knowingly(version, study, panel, judges, office):
    publish(msgspec.structs.replace(instrument_of(version.digest), version="1.0.1"))
    through(office, study, judges, second=7)
    assert office.post(at(study, "adopt"), {"version": "1.1"}).status_code == 422
    assert office.post(at(study, "adopt"), {"version": "1.1", "behind": "on"}).status_code == 302


# --- Hofstee -------------------------------------------------------------------------------------


def test_results_of_a_trial_give_hofstees_compromise(study, panel, judges, office):
    through(office, study, judges, second=7)
    with pytest.raises(standards.StudyError):
        standards.accept(study.judges.first(), {})  # it is closed
    study.judges.update(acceptable={level: [40, 80, 0, 100] for level in standards.LEVELS})
    assert "cannot be had from what groups publish" in office.get(at(study, "figures")).text
    for wrong in ("62.5", "62.5 x", "101 40", "50 29", "50 40 3"):
        refused = office.post(at(study, "scores"), {"scores": wrong})
        assert refused.status_code == 422
        assert wrong in refused.text
    office.post(at(study, "scores"), {"scores": "30 10\n70 20\n\n62,5 10"})
    study.refresh_from_db()
    assert study.scores == [[30.0, 10], [62.5, 10], [70.0, 20]]
    page = read(office.get(at(study, "figures"))).text
    # A quarter are below any cut from 30 to 62.5; the line from (40, 100) falls to 50 at 60.
    assert "Hofstee’s compromise is 62.5, with 43.8% below it." in page
    assert "Of the 40 people of the trial, 25.0% are below the panel’s cut score of 60.0." in page


def test_what_a_judge_would_accept_is_asked_again_in_its_order(study, panel, judges):
    assert panel[0].get(at(study, "acceptable")).url == at(study)  # after the situations
    fill(study, judges[0], 1, 60, 70)
    sent = {
        f"{level}-{name}": number
        for level in standards.LEVELS
        for name, number in (
            ("lowest_cut", 60),
            ("highest_cut", 40),
            ("lowest_share", 10),
            ("highest_share", 30),
        )
    }
    refused = panel[0].post(at(study, "acceptable"), sent)
    # For each level: above the form, with a link, and at the field.
    assert (refused.status_code, refused.text.count("It is below the one before.")) == (422, 4)
    right = sent | {f"{level}-lowest_cut": 40 for level in standards.LEVELS}
    right |= {f"{level}-highest_cut": 60 for level in standards.LEVELS}
    panel[0].post(at(study, "acceptable"), right)
    assert Judge.objects.get(user=judges[0]).acceptable == {
        level: [40, 60, 10, 30] for level in standards.LEVELS
    }


# --- Doors ---------------------------------------------------------------------------------------

AUTHORS = {
    "judges": (),
    "move": ("abandoned",),
    "notes": (),
    "figures": (),
    "scores": (),
    "adopt": (),
    "evidence": (),
}
JUDGES = {"instructions": (), "practice": (), "situation": (1,), "acceptable": ()}
PAGES = {"change": (), "history": (), **AUTHORS, **JUDGES}


def knocks(client, there: str):
    sent = {"judge-username": "gina", "notes": "x", "scores": "50 40", "version": "9"}
    yield client.get(there)
    yield client.post(there, sent | {"operational": 60, "expert": 70})


@pytest.fixture
def untouched(study):
    before = StandardStudy.objects.values().get(), Judge.objects.count()
    done = Event.objects.exclude(action="refused")
    events = done.count()
    yield
    assert (StandardStudy.objects.values().get(), Judge.objects.count()) == before
    assert done.count() == events
    assert not Estimate.objects.exists()


@pytest.mark.parametrize("door", PAGES)
def test_nobody_gets_in_without_signing_in(study, untouched, door):
    for answer in knocks(browser(), at(study, door, *PAGES[door])):
        assert answer.url.startswith(reverse("admin:login"))


@pytest.mark.parametrize("door", PAGES)
def test_a_trainer_is_refused(study, untouched, trainer, door):
    for answer in knocks(browser(trainer), at(study, door, *PAGES[door])):
        assert answer.status_code in (403, 405)


@pytest.mark.parametrize("door", PAGES)
def test_a_panel_one_does_not_sit_in_does_not_exist(study, judges, untouched, door):
    outside = browser(judges[6])
    for answer in knocks(outside, at(study, door, *PAGES[door])):
        if answer.status_code != 405:
            refused = door == "history"
            assert (answer.status_code == 403) if refused else answer.url == reverse("admin:index")
    listing = outside.get(reverse("admin:assessments_standardstudy_changelist")).text
    assert "example 1.0" not in listing


@pytest.mark.parametrize("door", ["history", *AUTHORS])
def test_a_judge_does_not_run_the_study(study, office, judges, door):
    seat(office, study, "ada", "nurse")
    for answer in knocks(browser(judges[0]), at(study, door, *PAGES[door])):
        assert answer.status_code in (403, 405)
    assert (StandardStudy.objects.get().state, Judge.objects.count()) == ("round-1", 1)


@pytest.mark.parametrize("door", JUDGES)
def test_an_author_does_not_judge(study, office, untouched, door):
    for answer in knocks(office, at(study, door, *PAGES[door])):
        assert answer.status_code in (403, 405)


def test_a_judge_has_no_other_door(study, office, judges, version):
    seat(office, study, "ada", "nurse")
    client = browser(judges[0])
    assert client.get(at(study)).status_code == 200
    for closed in ("cohort_changelist", "instrumentversion_changelist", "event_changelist"):
        assert client.get(reverse(f"admin:assessments_{closed}")).status_code == 403
    assert client.get(reverse("admin:assessments_standardstudy_add")).status_code == 403
    assert client.post(at(study), {"rated": "x"}).status_code == 405
    remove = reverse("admin:assessments_standardstudy_delete", args=(study.pk,))
    for person in (client, office):
        assert person.post(remove, {"post": "yes"}).status_code == 403
    index = client.get(reverse("admin:index")).text
    assert "Standard settings" in index
    assert "Cohorts" not in index


def test_estimates_have_no_admin_of_their_own():
    assert not admin.site.is_registered(Estimate)
    assert not admin.site.is_registered(Judge)


@pytest.mark.parametrize("page", ["change", "figures", "adopt", "notes"])
def test_pages_hold_no_inline_style_or_script_and_say_their_charts(
    study, panel, judges, office, page
):
    through(office, study, judges, second=7)
    shown = read(office.get(at(study, page)))
    assert (shown.styled, shown.scripted) == ([], [])
    assert len(shown.titles) == len(shown.charts) == (2 if page == "figures" else 0)
    assert all("cut score" in title for title in shown.titles)


def test_whoever_becomes_an_author_judges_no_more(study, panel, judges):
    """They see the panel's figures from then on."""
    assert panel[0].get(at(study, "situation", 1)).status_code == 200
    make_author(judges[0])
    assert panel[0].get(at(study, "situation", 1)).status_code == 403
    assert panel[0].get(at(study, "figures")).url == at(study)


def test_a_longer_panel_takes_no_more_queries(study, office, judges, django_assert_num_queries):
    seat(office, study, NAMES[0], PROFESSIONS[0])
    office.get(at(study))
    with CaptureQueriesContext(connection) as alone:
        office.get(at(study))
        needed = len(alone)
    for name, profession in zip(NAMES[1:], PROFESSIONS[1:], strict=True):
        seat(office, study, name, profession)
    office.get(at(study))  # the messages
    with django_assert_num_queries(needed):
        office.get(at(study))
