"""Every action of the staff leaves one line, and who runs the service reads and takes them away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from assessments import cohort_exports, standards
from assessments.models import Event, InstrumentDraft, Job, Phase
from assessments.urls import urlpatterns as respondents
from tests.instrument.example import put, write
from tests.instrument.test_loading import in_one

from .conftest import TODAY, browser
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
