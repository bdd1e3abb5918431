"""Every action of the staff leaves one line, and who runs the service reads and takes them away."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from assessments import cohort_exports, cohorts, frozen, journal, standards
from assessments.admin.access import CarefulAdmin
from assessments.admin.records import LINES
from assessments.models import Cohort, Event, InstrumentDraft, Job, Phase, Sitting
from assessments.urls import urlpatterns as respondents
from tests.instrument.example import put, write
from tests.instrument.test_loading import in_one

from .conftest import TODAY, browser, user
from .test_cohort import planned, screen
from .test_standards import (  # noqa: F401 (fixtures)
    at,
    author,
    estimate,
    judges,
    office,
    panel,
    study,
    think,
    through,
)


class Stage:
    """Gives fixtures by their names. What a fixture writes is no part of what is done."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self.request, self.used = request, set()
        self.begin()

    def __call__(self, fixture: str):
        found = self.request.getfixturevalue(fixture)
        if fixture not in self.used:
            self.used.add(fixture)
            self.begin()
        return found

    def begin(self) -> None:
        """What was written so far was to get here."""
        self.last = Event.objects.order_by("pk").values_list("pk", flat=True).last() or 0

    def written(self) -> list[Event]:
        return list(Event.objects.filter(pk__gt=self.last).order_by("pk"))


Do = Callable[[Stage], HttpResponse]

JOURNAL = "/admin/assessments/event/"


# --- Completeness --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Act:
    """Something done at an address by whom it is meant for, and the lines that it leaves."""

    do: Do
    lines: tuple[str, ...]


ACTS: dict[str, list[Act]] = {}
"""What is done at each address of the staff that changes something or gives something away."""

NOTHING = {
    # Pages that are only read.
    "admin:index": "read only",
    "admin:app_list": "read only",
    "admin:jsi18n": "read only",
    "admin:view_on_site": "only leads on; nothing of ours has an address of its own there",
    "admin:autocomplete": "read only, and no form of ours uses it",
    "admin:assessments_cohort_changelist": "read only: there is no action on a list",
    "admin:assessments_cohort_history": "read only",
    "admin:assessments_cohort_situations": "read only",
    "admin:assessments_cohort_debriefing": "read only",
    "admin:assessments_cohort_results": (
        "read only; a publication that was cut short is sent again, whoever looks: its line was "
        "written by who closed the phase"
    ),
    "admin:assessments_cohort_poster": "the link that the page shows, to print: no result in it",
    "admin:assessments_cohort_delete": "refused to everybody",
    "admin:assessments_instrumentversion_changelist": "read only",
    "admin:assessments_instrumentversion_document": "read only",
    "admin:assessments_instrumentversion_item": "read only",
    "admin:assessments_instrumentversion_compare": "read only",
    "admin:assessments_instrumentversion_quality": "read only",
    "admin:assessments_instrumentversion_calibration": "read only",
    "admin:assessments_instrumentversion_history": "read only",
    "admin:assessments_instrumentversion_change": "read only",
    "admin:assessments_instrumentversion_add": "refused to everybody",
    "admin:assessments_instrumentversion_delete": "refused to everybody",
    "admin:assessments_standardstudy_changelist": "read only: there is no action on a list",
    "admin:assessments_standardstudy_history": "read only",
    "admin:assessments_standardstudy_change": "read only: it takes no POST",
    "admin:assessments_standardstudy_figures": "read only",
    "admin:assessments_standardstudy_instructions": "read only",
    "admin:assessments_standardstudy_delete": "refused to everybody",
    "admin:assessments_event_changelist": "read only",
    "admin:assessments_event_change": "read only",
    "admin:assessments_event_history": "read only",
    "admin:assessments_event_add": "refused to everybody",
    "admin:assessments_event_delete": "refused to everybody",
}
"""The addresses at which no line is due, and why."""

ACCOUNTS = (
    "admin:auth_",
    "admin:login",
    "admin:logout",
    "admin:password_",
    "account_",
    "mfa_",
    "socialaccount_",
    "openid_connect_",
    "staff_",
)
"""How addresses about accounts begin: what they leave is tested where they are."""


def acts(name: str, *lines: str) -> Callable[[Do], Do]:
    def kept(do: Do) -> Do:
        ACTS.setdefault(f"admin:assessments_{name}", []).append(Act(do, lines))
        return do

    return kept


def names(patterns: list[URLPattern | URLResolver], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for each in patterns:
        if isinstance(each, URLPattern):
            if each.name:
                found.add(f"{prefix}{each.name}")
        else:
            within = f"{prefix}{each.namespace}:" if each.namespace else prefix
            found |= names(each.url_patterns, within)
    return found


def test_every_address_of_the_staff_has_its_line_or_says_why_not():
    asked = {name for name in names(get_resolver().url_patterns) if not name.startswith(ACCOUNTS)}
    staffs = asked - {each.name for each in respondents if isinstance(each, URLPattern)}
    assert sorted(staffs - set(ACTS) - set(NOTHING)) == []
    assert sorted((set(ACTS) | set(NOTHING)) - staffs) == []
    assert not set(ACTS) & set(NOTHING)


def under_a_phase(get: Stage, door: str, *more: object) -> str:
    phase: Phase = get("phase")
    args = (phase.cohort_id, phase.pk, *more)
    return reverse(f"admin:assessments_cohort_{door}", args=args)


def under_the_cohort(get: Stage, door: str) -> str:
    return reverse(f"admin:assessments_cohort_{door}", args=(get("phase").cohort_id,))


@acts("cohort_add", "created", "changed", "changed")  # a line for each phase planned with it
def made(get):
    get("version")
    sent = screen(planned("before"), planned("after", TODAY + timedelta(days=30)))
    return get("desk").post(reverse("admin:assessments_cohort_add"), sent)


@acts("cohort_change", "changed")
def renamed(get):
    sent = screen(name="Ward 13") | {"phases-TOTAL_FORMS": 0}
    return get("desk").post(under_the_cohort(get, "change"), sent)


@acts("cohort_change", "changed")
def planned_again(get):
    phase = get("phase")
    sent = screen({"id": phase.pk, **planned("before", TODAY, TODAY)}, kept=1)
    return get("desk").post(under_the_cohort(get, "change"), sent)


@acts("cohort_change", "appointed", "left")
def appointed(get):
    phase, stranger = get("phase"), get("stranger")
    sent = screen({"id": phase.pk, **planned("before", TODAY, phase.closes_on)}, kept=1)
    sent["trainers"] = [stranger.pk]
    return browser(get("operator")).post(under_the_cohort(get, "change"), sent)


@acts("cohort_trainers", "appointed")
def added(get):
    sent = {"trainer-username": get("stranger").get_username()}
    return get("desk").post(under_the_cohort(get, "trainers"), sent)


@acts("cohort_leave", "left")
def left(get):
    get("phase").cohort.trainers.add(get("stranger"))
    return get("desk").post(under_the_cohort(get, "leave"))


@acts("cohort_pause", "paused")
def paused(get):
    return get("desk").post(under_a_phase(get, "pause"), {"paused": "yes"})


@acts("cohort_pause", "resumed")
def resumed(get):
    Phase.objects.filter(pk=get("phase").pk).update(paused=True)
    return get("desk").post(under_a_phase(get, "pause"), {"paused": "no"})


@acts("cohort_close", "closed")
def closed(get):
    get("answer")(get("phase"), 12)
    return get("desk").post(under_a_phase(get, "close"))


@acts("cohort_export", "exported")
def exported(get):
    published(get)
    return get("desk").get(under_a_phase(get, "export", "results.csv"))


@acts("cohort_qualiopi", "exported")
def filed(get):
    published(get)
    get("monkeypatch").setattr(cohort_exports, "made", lambda name, phase: b"a file")
    return get("desk").get(under_the_cohort(get, "qualiopi"))


def published(get: Stage) -> None:
    get("answer")(get("phase"), 12)
    get("desk").post(under_a_phase(get, "close"))
    get.begin()


def job(get: Stage, state: str, **more: object) -> Job:
    return Job.objects.create(
        phase=get("phase"), actor=get("trainer"), language="en", state=state, **more
    )


@acts("cohort_job", "retried")
def tried_again(get):
    failed = job(get, "failed", work="publish")
    there = under_a_phase(get, "job", failed.pk)
    get("desk").post(there)  # the button pressed twice
    return get("desk").post(there)


@acts("cohort_job_file", "exported")
def taken(get):
    done = job(get, "done", work="export", export="results.csv", file=b"figures")
    return get("desk").get(under_a_phase(get, "job_file", done.pk))


def at_a_version(get: Stage, door: str, *args: object) -> str:
    return reverse(f"admin:assessments_instrumentversion_{door}", args=args)


@acts("instrumentversion_upload", "uploaded")
def uploaded(get):
    content = write(in_one(put("instrument.yaml", "version", "2.0"))).encode()
    sent = {"document": SimpleUploadedFile("instrument.yaml", content)}
    get("office").post(at_a_version(get, "upload"), sent)
    sent = {"document": SimpleUploadedFile("again.yaml", content)}
    return get("office").post(at_a_version(get, "upload"), sent)  # nothing new


def a_draft(get: Stage) -> str:
    uploaded(get)
    get.begin()
    return f"d{InstrumentDraft.objects.get().pk}"


@acts("instrumentversion_publish", "published")
def published_by_its_author(get):
    return get("office").post(at_a_version(get, "publish", a_draft(get)))


@acts("instrumentversion_discard", "discarded")
def discarded(get):
    return get("office").post(at_a_version(get, "discard", a_draft(get)))


@acts("instrumentversion_retire", "retired")
def retired(get):
    return get("office").post(at_a_version(get, "retire", f"v{get('version').pk}"))


@acts("standardstudy_add", "study-opened")
def opened(get):
    there = reverse("admin:assessments_standardstudy_add")
    return get("office").post(there, {"rated": f"{get('version').pk} B"})


@acts("standardstudy_judges", "judge-appointed")
def seated(get):
    get("judges")
    sent = {"judge-username": "ada", "judge-profession": "nurse"}
    return get("office").post(at(get("study"), "judges"), sent)


@acts("standardstudy_move", "study-moved")
def moved(get):
    return get("office").post(at(get("study"), "move", "abandoned"))


@acts("standardstudy_notes", "study-noted")
def noted(get):
    type(get("study")).objects.update(state="discussion")
    return get("office").post(at(get("study"), "notes"), {"notes": "They differ on two."})


@acts("standardstudy_scores", "study-noted")
def scored(get):
    type(get("study")).objects.update(state="discussion")
    return get("office").post(at(get("study"), "scores"), {"scores": "50 40"})


@acts("standardstudy_adopt", "published", "study-adopted")  # two facts: the version, and why
def adopted(get):
    get("panel")
    through(get("office"), get("study"), get("judges"), second=7)
    get.begin()
    return get("office").post(at(get("study"), "adopt"), {"version": "1.1"})


@acts("standardstudy_evidence", "study-exported")
def proven(get):
    type(get("study")).objects.update(state="abandoned", closed_on=TODAY)
    return get("office").get(at(get("study"), "evidence"))


@acts("standardstudy_practice", "judged")
def practised(get):
    seated(get)
    get.begin()
    ada = browser(get("judges")[0])
    for _twice in range(2):
        answer = ada.post(at(get("study"), "practice"), {"operational": 40, "expert": 60})
    return answer


@acts("standardstudy_situation", "judged", "judged")  # the key is shown, then an estimate kept
def estimated(get):
    ada = get("panel")[0]
    get.begin()
    think(ada, get("study"), 1)
    return estimate(ada, get("study"), 1, 40, 60)


@acts("standardstudy_acceptable", "judged")
def accepted(get):
    ada = get("panel")[0]
    judge = get("study").judges.get(user=get("judges")[0])
    for item in standards.scenarios(get("study")):
        standards.estimate(judge, 1, item.code, 40, 60)
    get.begin()
    form = ada.get(at(get("study"), "acceptable")).context["form"]
    sent = {field.html_name: ("20" if "low" in field.html_name else "80") for field in form}
    return ada.post(at(get("study"), "acceptable"), sent)


@acts("event_file", "journal-exported")
def journal_taken(get):
    answer = browser(get("operator")).get(f"{JOURNAL}readiness-journal.jsonl")
    b"".join(answer)
    return answer


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "act"),
    [
        pytest.param(name, act, id=f"{name.removeprefix('admin:assessments_')}-{act.do.__name__}")
        for name, done in ACTS.items()
        for act in done
    ],
)
def test_it_leaves_exactly_its_lines(request, name, act):
    stage = Stage(request)
    answer = act.do(stage)
    assert answer.status_code in (200, 302)
    assert answer.resolver_match.view_name == name
    assert sorted(event.action for event in stage.written()) == sorted(act.lines)
    assert all(event.actor is not None for event in stage.written())


# --- Refused -------------------------------------------------------------------------------------


def test_whoever_is_refused_a_page_is_kept(phase, desk, operator):
    there = under(phase, "results")
    assert desk.get(JOURNAL).status_code == 403
    assert browser(operator).post(there).status_code == 403
    said = Event.objects.filter(action="refused").values_list("actor__username", "subject")
    assert list(said) == [("operator", f"POST {there}"), ("trainer", f"GET {JOURNAL}")]


def test_a_stale_form_is_no_refusal_nor_is_who_is_not_signed_in(phase, trainer):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(trainer)
    assert strict.post(under(phase, "pause")).status_code == 403
    assert browser().get(JOURNAL).status_code == 302
    assert not Event.objects.filter(action="refused").exists()


def test_who_knocks_everywhere_does_not_fill_the_journal(desk, monkeypatch):
    monkeypatch.setattr(journal, "REFUSALS", replace(journal.REFUSALS, most=3))
    for _time in range(5):
        assert desk.get(JOURNAL).status_code == 403
    assert Event.objects.filter(action="refused").count() == 3


def under(phase: Phase, door: str) -> str:
    return reverse(f"admin:assessments_cohort_{door}", args=(phase.cohort_id, phase.pk))


# --- Commands ------------------------------------------------------------------------------------


def test_what_a_purge_deletes_is_kept_without_a_telling_figure(phase, answer):
    answer(phase, 7)
    long_ago = TODAY - timedelta(days=800)
    Sitting.objects.update(opened_on=long_ago, finished_on=long_ago)
    aged(Event.objects.first(), days=400)
    LogEntry.objects.create(user=user("gone"), action_flag=1, object_repr="x")
    LogEntry.objects.update(action_time=timezone.now() - timedelta(days=400))
    call_command("purge")
    line = Event.objects.first()
    assert (line.actor, line.action) == (None, "purged")
    assert line.subject == "sittings ≥ 5, lines of the journal 1"
    assert not LogEntry.objects.exists()
    assert not Sitting.objects.exists()
    before = Event.objects.count()
    call_command("purge")
    assert Event.objects.count() == before


def aged(event: Event, **ago: float) -> datetime:
    with frozen.thawed(Event):
        at = timezone.now() - timedelta(**ago)
        Event.objects.filter(pk=event.pk).update(at=at)
    return at


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command("journal", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def three(db, trainer) -> list[Event]:
    """Lines of ten days, one day and one minute ago."""
    made = []
    for ago, actor in ({"days": 10}, None), ({"days": 1}, trainer), ({"minutes": 1}, trainer):
        journal.record(Event.Action.CREATED, actor, f"Ward {len(made) + 1}")
        made.append(Event.objects.first())
        aged(made[-1], **ago)
    return made


def test_the_command_writes_a_line_of_json_each_the_oldest_first(three):
    found = [json.loads(line) for line in told().splitlines()]
    assert [line["subject"] for line in found[:3]] == ["Ward 1", "Ward 2", "Ward 3"]
    assert found[0] == {
        "id": three[0].pk,
        "at": Event.objects.get(pk=three[0].pk)
        .at.astimezone(UTC)
        .isoformat(timespec="microseconds"),
        "actor": None,
        "action": "created",
        "subject": "Ward 1",
        "about": "",
    }
    assert found[1]["actor"] == "trainer"
    # That the journal was exported is in what was.
    assert (found[3]["action"], found[3]["actor"]) == ("journal-exported", None)
    assert len(found) == 4


@pytest.mark.parametrize(
    ("arguments", "subjects"),
    [
        (["--since", "2d"], ["Ward 2", "Ward 3"]),
        (["--since", "2h"], ["Ward 3"]),
        (["--since", "30m", "--format", "csv"], ["Ward 3"]),
        (["--until", "2h"], ["Ward 1", "Ward 2"]),
        (["--since", "3d", "--until", "2h"], ["Ward 2"]),
        (["--since", "2000-01-01"], ["Ward 1", "Ward 2", "Ward 3"]),
        (["--since", "2000-01-01T08:00+01:00"], ["Ward 1", "Ward 2", "Ward 3"]),
    ],
)
def test_the_command_writes_the_lines_of_a_period(three, arguments, subjects):
    found = told(*arguments)
    assert [f"Ward {number}" for number in (1, 2, 3) if f"Ward {number}" in found] == subjects


def kept_in(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_file_is_added_what_it_lacks_however_long_ago_it_was_written(three, trainer, tmp_path):
    file = tmp_path / "journal.jsonl"
    told("--add-to", str(file))
    assert [line["subject"] for line in kept_in(file)][:3] == ["Ward 1", "Ward 2", "Ward 3"]
    aged(three[2], hours=6)
    aged(Event.objects.get(action="journal-exported"), hours=5)  # the timer rested
    for ago in 5.5, 4, 2:  # the first was committed after a younger one
        journal.record(Event.Action.CREATED, trainer, f"{ago} hours ago")
        aged(Event.objects.first(), hours=ago)
    # As it was written then.
    lines = [json.dumps({**line, "at": at_of(line["id"])}) for line in kept_in(file)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    told("--add-to", str(file))
    found = [line["id"] for line in kept_in(file)]
    assert sorted(found) == sorted(Event.objects.values_list("pk", flat=True))


def at_of(key: int) -> str:
    return Event.objects.get(pk=key).at.astimezone(UTC).isoformat(timespec="microseconds")


def test_a_line_of_a_clock_that_was_ahead_hides_none_of_those_after_it(three, trainer, tmp_path):
    file = tmp_path / "journal.jsonl"
    with time_machine.travel(timezone.now() + timedelta(days=30)):
        told("--add-to", str(file))
    journal.record(Event.Action.CREATED, trainer, "Since then")
    told("--add-to", str(file))
    found = kept_in(file)
    assert "Since then" in [line["subject"] for line in found]
    assert len(found) == len({line["id"] for line in found}) == Event.objects.count()


def test_a_number_that_a_restore_gives_again_is_another_line(three, tmp_path):
    file = tmp_path / "journal.jsonl"
    told("--add-to", str(file))
    lines = kept_in(file)
    before = (timezone.now() - timedelta(seconds=30)).isoformat(timespec="microseconds")
    lines[-1] |= {"at": before, "subject": "What was then the fourth line"}
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    told("--add-to", str(file))
    again = [line["id"] for line in kept_in(file)]
    assert again.count(lines[-1]["id"]) == 2


def test_a_line_that_was_torn_comes_again(three, tmp_path):
    file = tmp_path / "journal.jsonl"
    told("--add-to", str(file))
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    told("--add-to", str(file))
    lines = file.read_bytes().splitlines(keepends=True)
    assert lines[: len(three)] == whole.splitlines(keepends=True)[: len(three)]
    assert lines[len(three)] == whole.splitlines()[-1][:-19] + b"\n"
    assert whole.splitlines(keepends=True)[-1] in lines[len(three) + 1 :]


def test_another_file_is_left_alone(db, tmp_path):
    file = tmp_path / "letter.txt"
    file.write_text("Dear all,\n", encoding="utf-8")
    with pytest.raises(CommandError, match="another file"):
        told("--add-to", str(file))
    assert file.read_text(encoding="utf-8") == "Dear all,\n"
    with pytest.raises(CommandError, match="neither a period nor a format"):
        told("--add-to", str(file), "--since", "2h")


@pytest.mark.parametrize("when", ["yesterday", "2027-13-01", "2027-02-30T08:00", "h", "999999d "])
def test_what_is_no_moment_is_said(db, when):
    with pytest.raises(CommandError, match="2027-03-01"):
        told("--since", when)
    assert not Event.objects.exists()


# --- Read ----------------------------------------------------------------------------------------


@pytest.fixture
def reader(db) -> Client:
    """Whoever may read the journal, and nothing else."""
    person = user("reader", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_event"))
    return browser(person)


def subjects(client: Client, **choice: object) -> list[str]:
    return [line.subject for line in client.get(JOURNAL, choice).context["lines"]]


def test_whoever_may_read_the_journal_reads_it_the_latest_first(reader, three):
    page = reader.get(JOURNAL)
    assert [line.subject for line in page.context["lines"]] == ["Ward 3", "Ward 2", "Ward 1"]
    assert "a command" in page.text
    assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize("door", [JOURNAL, f"{JOURNAL}readiness-journal.csv"])
def test_nobody_else_does(desk, office, three, door):  # noqa: F811
    for client in (desk, office):
        assert client.get(door).status_code == 403
    assert browser().get(door).status_code == 302
    assert not Event.objects.filter(action="journal-exported").exists()


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ({"action": "created"}, ["Ward 3", "Ward 2", "Ward 1"]),
        ({"action": "closed"}, []),
        ({"person": "Trainer "}, ["Ward 3", "Ward 2"]),
        ({"text": "ward 1"}, ["Ward 1"]),
        ({"since": 2}, ["Ward 3", "Ward 2"]),
        ({"until": 5}, ["Ward 1"]),
        ({"since": 10, "until": 10}, ["Ward 1"]),
        ({"until": "9999-12-31"}, ["Ward 3", "Ward 2", "Ward 1"]),
    ],
)
def test_lines_are_chosen_by_action_person_words_and_period(reader, three, choice, found):
    today = datetime.now(tz=timezone.get_current_timezone()).date()
    sent = {
        name: today - timedelta(days=value) if isinstance(value, int) else value
        for name, value in choice.items()
    }
    assert subjects(reader, **sent) == found


@pytest.mark.parametrize(
    "choice",
    [
        {"person": "nobody"},
        {"since": "soon"},
        {"action": "other"},
        {"since": "2026-11-02", "until": "2026-11-01"},
        {"since": "0001-01-01"},
        {"until": "0001-01-01"},
        {"text": "x" * 101},
    ],
)
def test_what_is_chosen_wrongly_is_said_and_nothing_is_taken_away(reader, three, choice):
    page = reader.get(JOURNAL, choice)
    assert page.status_code == 422
    assert page.context["form"].errors
    assert not page.context["lines"]
    assert reader.get(f"{JOURNAL}readiness-journal.jsonl", choice).status_code == 404


def test_it_is_read_a_page_at_a_time_and_no_line_is_missed_or_shown_twice(reader, trainer):
    for number in range(2 * LINES + 3):
        journal.record(Event.Action.CREATED, trainer, number)
    with frozen.thawed(Event):  # many at one moment: their numbers tell them apart
        Event.objects.filter(pk__gt=Event.objects.last().pk + 50).update(at=timezone.now())
    seen, there = [], f"{JOURNAL}?action=created"
    while there:
        with CaptureQueriesContext(connection) as queries:
            page = reader.get(there)
        assert not [query for query in queries if "COUNT(" in query["sql"]]
        seen += [int(line.subject) for line in page.context["lines"]]
        older = page.context["older"]
        there = older and f"{JOURNAL}?{older}"
    assert seen == list(reversed(range(2 * LINES + 3)))


@pytest.mark.parametrize("after", ["x", "999999", "-1", "9" * 40, "²"])
def test_an_unknown_place_is_the_beginning(reader, three, after):
    assert subjects(reader, after=after) == ["Ward 3", "Ward 2", "Ward 1"]


def test_it_is_taken_away_as_chosen_and_that_is_kept(reader, three):
    answer = reader.get(f"{JOURNAL}readiness-journal.jsonl", {"person": "trainer"})
    lines = [json.loads(line) for line in b"".join(answer).decode().splitlines()]
    assert [line["subject"] for line in lines] == ["Ward 2", "Ward 3"]
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert "no-store" in answer.headers["Cache-Control"]
    kept = Event.objects.first()
    assert (kept.action, kept.actor.username) == ("journal-exported", "reader")
    assert kept.subject == "jsonl · person trainer"
    assert reader.get(f"{JOURNAL}readiness-journal.xml").status_code == 404
    assert reader.post(f"{JOURNAL}readiness-journal.csv").status_code == 405


@pytest.mark.parametrize(("language", "delimiter"), [("fr", ";"), ("en", ",")])
def test_a_spreadsheet_takes_no_name_for_a_formula_and_no_line_for_two(
    reader, trainer, language, delimiter
):
    for name in ('=HYPERLINK("x")', "@SUM(A1)", "a\r\n=1+1;=2", 'quote " here'):
        journal.record(Event.Action.CREATED, trainer, name)
    answer = reader.get(f"{JOURNAL}readiness-journal.csv", headers={"accept-language": language})
    text = b"".join(answer).decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    assert len(head) == 7
    assert [row[5] for row in rows[:4]] == [
        '\'=HYPERLINK("x")',
        "'@SUM(A1)",
        "a  =1+1;'=2",
        'quote " here',
    ]
    assert rows[0][3] == "created"
    assert len(rows) == 5


# --- The history of an object --------------------------------------------------------------------


def test_the_history_of_a_cohort_is_what_the_journal_says_of_it(phase, desk, stranger, operator):
    other = Cohort(name="Ward 13")
    cohorts.create(other, stranger)
    cohorts.rename(phase.cohort, operator)
    desk.post(under(phase, "pause"), {"paused": "yes"})
    desk.post(
        reverse("admin:assessments_cohort_trainers", args=(phase.cohort_id,)),
        {"trainer-username": "stranger"},
    )
    there = reverse("admin:assessments_cohort_history", args=(phase.cohort_id,))
    shown = desk.get(there)
    assert [(line.action, line.actor.username) for line in shown.context["lines"]] == [
        ("appointed", "trainer"),
        ("paused", "trainer"),
        ("changed", "operator"),
        ("changed", "trainer"),
        ("created", "trainer"),
    ]
    assert "joining paused" in shown.text
    assert "Ward 13" not in shown.text
    assert not LogEntry.objects.exists()  # no second journal


def test_no_page_of_ours_writes_djangos_own_log():
    """Which a stock admin of accounts may; the purge sees to it."""
    for model, made in admin.site._registry.items():
        if model._meta.app_label == "assessments":
            assert isinstance(made, CarefulAdmin)


def test_a_refused_sign_in_is_not_said_to_be_by_a_command(operator):
    journal.record(Event.Action.SIGN_IN_REFUSED, None, "trainer")
    journal.record(Event.Action.PURGED, None, "sittings ≥ 5")
    page = browser(operator).get(JOURNAL).text
    assert "somebody not signed in" in page
    assert "a command" in page
