"""Every page of the three doors, in every state worth seeing.

A state is a function that gives the page as Django answers it, without a browser: it acts on the
:class:`~.world.World`, and what it does there is undone before the next. What is looked at (by axe,
by the Nu checker, in pictures) is what these functions give, in either language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from unittest import mock

import yaml
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone, translation

from assessments import accounts, cohorts, instruments, journal, limits, press, standards
from assessments.admin.records import LINES
from assessments.models import Cohort, DailyCount, Event, InstrumentVersion, Job, Phase, Sitting
from assessments.staff import recovery
from assessments.views import limited
from tests.conftest import ROOT
from tests.sitting.conftest import seen_on
from tests.staff.conftest import add_app, digits

from .world import World, as_archive, broken

type Show = Callable[[World], HttpResponse]

STATES: dict[str, Show] = {}
"""Every state by its name: whose browser sees it, then what it is."""

STOCK = yaml.safe_load((ROOT / "tests" / "stock_admin.yaml").read_text(encoding="utf-8"))
"""What Django's own admin fails, and why it is let through."""

NOT_PAGES = {
    "mfa_login_webauthn": "only acts: our script asks it, and refused it leads to sign-in",
    "security.txt": "a file for programs",
    "set_language": "a button of every page, which comes back to it",
    "live": "a word to machines",
    "ready": "a word to machines",
    "sitting": "leads on: to a page of questions, the review or the results",
    "answers": "a file of data",
    "answers-r4": "a file of data",
    "answers-r5": "a file of data",
    "calendar": "a file of data",
    "calendar-return": "a file of data",
    "instrument": "a file of data",
    "form-r4": "a file of data",
    "form-r5": "a file of data",
    "admin:assessments_cohort_job_file": "a file of data",
    "admin:assessments_standardstudy_evidence": "a file of data",
    "admin:assessments_event_file": "a file of data",
    "admin:assessments_standardstudy_scores": "only acts: refused, it shows the figures",
}
"""The addresses that show no page of their own, and why."""


PASSWORD = "correct horse battery staple"
CREDENTIAL = json.loads((ROOT / "tests" / "passkey.json").read_text(encoding="utf-8"))
"""A passkey as a browser gave it once, to nobody."""


def state(show: Show) -> Show:
    """A state named after its function: the first word is whose browser it is."""
    STATES[show.__name__.replace("_", "-").replace("-", "/", 1)] = show
    return show


def page(who: str, name: str, view: str, *args: object) -> None:
    """A page that is simply asked for."""

    def show(world: World) -> HttpResponse:
        return world.browser(who).get(reverse(view, args=args))

    STATES[f"{who}/{name}"] = show


@dataclass(frozen=True)
class Shown:
    """A state as it was answered."""

    name: str
    language: str
    path: str
    """The address that the reader's browser shows."""
    status: int
    kind: str
    """The content type."""
    headers: dict[str, str]
    body: bytes
    views: frozenset[str]
    """The names of the addresses that took part."""

    @property
    def is_page(self) -> bool:
        return self.kind.startswith("text/html")


def shown(world: World, name: str) -> Shown:
    """A state, and the world as it was before."""
    with transaction.atomic(), translation.override(world.language), world.watched() as views:
        answer = STATES[name](world)
        body = b"".join(answer) if answer.streaming else answer.content
        transaction.set_rollback(True)
    assert answer.status_code not in (301, 302), f"{name} leads to {answer.headers['Location']}"
    return Shown(
        name=name,
        language=world.language,
        path=answer.request["PATH_INFO"],
        status=answer.status_code,
        kind=answer.headers["Content-Type"],
        headers=dict(answer.headers),
        body=body,
        views=frozenset(views),
    )


def stocks(tool: str, page: str, what: str, where: str) -> bool:
    """Whether what a tool found is the stock admin's, as ``stock_admin.yaml`` tells."""
    return any(
        known["tool"] == tool
        and re.search(known["pages"], page)
        and re.search(known["what"], what)
        and re.search(known["where"], where)
        for known in STOCK
    )


def every(language: str) -> list[Shown]:
    """Every state in a language; of the world they are seen in, nothing is kept."""
    with transaction.atomic():
        world = World(language)
        found = [shown(world, name) for name in STATES]
        transaction.set_rollback(True)
    return found


# --- Anybody: before the questions, words, errors ------------------------------------------------

page("anybody", "landing", "landing")
page("anybody", "type-a-groups-code", "group")
page("anybody", "resume", "resume")
page("anybody", "privacy", "privacy")
page("anybody", "method", "method")
page("anybody", "sources-of-a-domain", "sources", 1)
page("anybody", "sources-of-the-strategy", "sources", 4)
page("anybody", "strategy", "strategy")
page("anybody", "example-of-a-groups-results", "example")
page("anybody", "example-of-what-to-teach", "example-lessons")
page("anybody", "accessibility", "accessibility")


@state
def anybody_landing_without_questionnaire(world):
    InstrumentVersion.objects.update(retired_on=timezone.localdate())
    return world.browser().get(reverse("landing"))


@state
def anybody_door_of_a_group(world):
    return world.browser().get(world.door(world.fresh))


@state
def anybody_door_of_a_later_moment(world):
    return world.browser().get(world.door(world.cohort))


@state
def anybody_door_that_is_closed(world):
    return world.browser().get(world.door(world.few.cohort))


@state
def anybody_unknown_groups_code(world):
    return world.browser().post(reverse("group"), {"access": "2222-2222"})


@state
def anybody_mistyped_groups_code(world):
    return world.browser().post(reverse("group"), {"access": "0"})


@state
def anybody_notice(world):
    return world.browser().post(reverse("landing"), follow=True)


@state
def anybody_notice_in_a_group(world):
    Phase.objects.filter(cohort=world.fresh).update(breakdown="profession")
    return world.browser().post(world.door(world.fresh), follow=True)


def at_the_code(world: World, door: str) -> Client:
    client = world.browser()
    client.post(door)
    client.post(reverse("notice"))
    return client


@state
def anybody_code_to_note(world):
    return at_the_code(world, reverse("landing")).get(reverse("start"))


@state
def anybody_code_at_a_later_moment(world):
    return at_the_code(world, world.door(world.cohort)).get(reverse("start"))


@state
def anybody_earlier_code_opens_nothing(world):
    client = at_the_code(world, world.door(world.cohort))
    token = client.get(reverse("start")).context["form"].initial["token"]
    return client.post(reverse("start"), {"token": token, "earlier": "2222-2222-2222-2222"})


@state
def anybody_code_shown_for_too_long(world):
    return at_the_code(world, reverse("landing")).post(reverse("start"), {"token": "old"})


@state
def anybody_group_that_has_closed_meanwhile(world):
    client = at_the_code(world, world.door(world.fresh))
    token = client.get(reverse("start")).context["form"].initial["token"]
    Phase.objects.filter(cohort=world.fresh).update(closed_on=timezone.localdate())
    return client.post(reverse("start"), {"token": token}, follow=True)


@state
def anybody_resume_code_opens_nothing(world):
    return world.browser().post(reverse("resume"), {"code": "2222-2222-2222-2222"})


@state
def anybody_mistyped_resume_code(world):
    return world.browser().post(reverse("resume"), {"code": "0"})


@state
def anybody_bad_request(world):
    return world.browser().get("/", headers={"host": "elsewhere.example"})


@state
def anybody_too_large(world):
    return world.browser().post(reverse("resume"), {"code": "2" * 300_000})


def out_of(*spent: str):
    """Limits of which nothing is left."""
    none = limits.Limit("none", 0, timedelta(minutes=15))
    return mock.patch.multiple(limited, **dict.fromkeys(spent, none))


@state
def anybody_resume_code_after_too_many(world):
    with out_of("GUESSES_HERE"):
        return world.browser().post(reverse("resume"), {"code": "2222-2222-2222-2222"})


@state
def anybody_groups_code_after_too_many(world):
    with out_of("GUESSES_HERE"):
        return world.browser().post(reverse("group"), {"access": "2222-2222"})


@state
def anybody_groups_link_after_too_many(world):
    with out_of("GUESSES_HERE"):
        return world.browser().get(world.door(world.fresh))


@state
def anybody_earlier_code_after_too_many(world):
    client = at_the_code(world, world.door(world.cohort))
    token = client.get(reverse("start")).context["form"].initial["token"]
    with out_of("GUESSES_HERE", "GROUP_GUESSES"):
        return client.post(reverse("start"), {"token": token, "earlier": "2222-2222-2222-2222"})


@state
def anybody_start_after_too_many(world):
    with out_of("OPENINGS_HERE"):
        return world.browser().post(reverse("landing"))


@state
def respondent_report_after_too_many(world):
    with out_of("PRINTS"):
        return world.person(finished=True).get(reverse("report"))


@state
def anybody_no_such_page(world):
    return world.browser().get("/nowhere/")


@state
def anybody_incident(world):
    client = world.browser()
    client.raise_request_exception = False
    with mock.patch("assessments.views.words.render", side_effect=RuntimeError("an incident")):
        return client.get(reverse("privacy"))


def without_a_database(*_args: object) -> None:
    raise OperationalError("the database is away")


@state
def anybody_service_that_cannot_answer(world):
    client = world.browser()
    client.raise_request_exception = False
    with connection.execute_wrapper(without_a_database):
        return client.get(reverse("landing"))


@state
def respondent_answers_that_are_carried_while_the_service_cannot_answer(world):
    client, there = world.person(), question("scenarios")
    client.raise_request_exception = False
    data = {"seen": seen(client, there), f"answer-{first_scenario(world)}": "a"}
    with connection.execute_wrapper(without_a_database):
        return client.post(there, data)


@state
def anybody_stale_form(world):
    return world.browser(enforce_csrf_checks=True).post(reverse("landing"))


# --- Whoever answers -----------------------------------------------------------------------------


@state
def respondent_landing_again(world):
    return world.person().get(reverse("landing"))


@state
def respondent_context(world):
    return world.person().get(question("context"))


@state
def respondent_self_ratings(world):
    return world.person().get(question("self-ratings"))


@state
def respondent_self_ratings_answered(world):
    return world.person(answered=True).get(question("self-ratings", 3))


@state
def respondent_situations(world):
    return world.person().get(question("scenarios"))


@state
def respondent_situations_answered(world):
    return world.person(answered=True).get(question("scenarios", 12))


def question(part: str, number: int = 1) -> str:
    return reverse("page", args=(part, number))


def seen(client: Client, there: str) -> str:
    return seen_on(client.get(there).text)


def first_scenario(world: World) -> str:
    return world.asked.page("scenarios", 1).items[0].code


@state
def respondent_refused_answer(world):
    client, there = world.person(), question("scenarios")
    data = {"seen": seen(client, there), f"answer-{first_scenario(world)}": "99"}
    return client.post(there, data)


@state
def respondent_answered_in_another_tab(world):
    client, there = world.person(), question("scenarios")
    data = {"seen": seen(client, there), f"answer-{first_scenario(world)}": "a"}
    client.post(there, data | {f"answer-{first_scenario(world)}": "b"})
    return client.post(there, data)


@state
def respondent_page_of_another_questionnaire(world):
    return world.person().post(question("scenarios"), {"seen": "another"}, follow=True)


@state
def respondent_session_has_ended(world):
    return world.browser().post(question("scenarios"), {f"answer-{first_scenario(world)}": "a"})


@state
def respondent_session_has_ended_and_code_opens_nothing(world):
    carried = {"carried-page": "scenarios/1", "code": "2222-2222-2222-2222"}
    return world.browser().post(reverse("resume"), carried)


@state
def respondent_stale_page(world):
    client = world.person(enforce_csrf_checks=True)
    return client.post(question("scenarios"), {f"answer-{first_scenario(world)}": "a"})


@state
def respondent_review_of_nothing(world):
    return world.person().post(reverse("review"))


@state
def respondent_review_of_some(world):
    client, there = world.person(), question("scenarios")
    data = {"seen": seen(client, there), f"answer-{first_scenario(world)}": "a"}
    client.post(there, data)
    return client.get(reverse("review"))


@state
def respondent_review_of_everything(world):
    return world.person(answered=True).get(reverse("review"))


@state
def respondent_results(world):
    return world.person(finished=True).get(reverse("results"))


@state
def respondent_results_in_a_group(world):
    return world.person(world.fresh, finished=True).get(reverse("results"))


@state
def respondent_results_of_one_answer(world):
    client, there = world.person(), question("scenarios")
    client.post(there, {"seen": seen(client, there), f"answer-{first_scenario(world)}": "a"})
    return client.post(reverse("review"), follow=True)


@state
def respondent_results_before_and_after(world):
    return world.returning().get(reverse("results"))


@state
def respondent_results_at_the_follow_up(world):
    return world.followed(finished=True).get(reverse("results"))


@state
def respondent_results_when_the_next_moment_is_open(world):
    client = world.person(world.fresh, finished=True)
    world.next_moment(world.fresh, Phase.Kind.AFTER)
    return client.get(reverse("results"))


@state
def respondent_answers_explained(world):
    return world.person(finished=True).get(reverse("explained", args=(2,)))


@state
def respondent_answers_explained_of_one_answer(world):
    client, there = world.person(), question("scenarios")
    client.post(there, {"seen": seen(client, there), f"answer-{first_scenario(world)}": "a"})
    client.post(reverse("review"))
    return client.get(reverse("explained", args=(1,)))


@state
def respondent_how_results_are_made(world):
    return world.person(finished=True).get(reverse("workings"))


@state
def respondent_report(world):
    return world.returning().get(reverse("report"))


@state
def respondent_too_many_reports(world):
    with mock.patch("assessments.reports.pdf", side_effect=press.Busy):
        return world.person(finished=True).get(reverse("report"))


@state
def respondent_next_steps(world):
    return world.person(finished=True).get(reverse("plans"))


def chosen(client: Client, **changed: str) -> dict[str, object]:
    """The form of the next steps as it is displayed, all of them chosen."""
    forms = client.get(reverse("plans")).context["forms"]
    return {
        f"{step.code}-{name}": changed.get(name, form.initial.get(name))
        for step, form in forms
        for name in form.fields
    }


@state
def respondent_next_steps_refused(world):
    client = world.person(finished=True)
    return client.post(reverse("plans"), chosen(client, before="2001-01-01", when=""))


@state
def respondent_next_steps_kept(world):
    client = world.person(finished=True)
    return client.post(reverse("plans"), chosen(client), follow=True)


@state
def respondent_reminders_of_nothing(world):
    return world.person(finished=True).get(reverse("reminders"))


@state
def respondent_reminders(world):
    client = world.person(finished=True)
    client.post(reverse("plans"), chosen(client))
    return client.get(reverse("reminders"))


@state
def respondent_certificate(world):
    return world.person(world.fresh, finished=True).get(reverse("certificate"))


@state
def respondent_certificate_printed(world):
    client = world.person(world.fresh, finished=True)
    return client.post(reverse("certificate"), {"results": "on", "group": "on"})


@state
def respondent_own_questionnaires(world):
    return world.returning().get(reverse("turn"))


@state
def respondent_own_questionnaires_one_begun(world):
    return world.followed().get(reverse("turn"))


@state
def respondent_workings_of_a_change(world):
    return world.returning().get(reverse("workings"))


@state
def respondent_again(world):
    return world.person(finished=True).get(reverse("again"))


@state
def respondent_again_in_a_group(world):
    client = world.person(world.fresh, finished=True)
    world.next_moment(world.fresh, Phase.Kind.AFTER)
    return client.get(reverse("again"))


@state
def respondent_followed(world):
    return world.followed().get(question("steps"))


@state
def respondent_followed_in_another_tab(world):
    client, there = world.followed(), question("steps")
    form = client.get(there).context["form"]
    fields = [name for name in form.fields if name != "seen"]
    data = {"seen": form.initial.get("seen") or form.fields["seen"].initial}
    client.post(there, data | dict.fromkeys(fields, "done"))
    return client.post(there, data | dict.fromkeys(fields, "begun"))


@state
def respondent_leave(world):
    return world.person().get(reverse("leave"))


@state
def respondent_leave_once_finished(world):
    return world.returning().get(reverse("leave"))


@state
def respondent_left(world):
    return world.person().post(reverse("leave"))


@state
def respondent_erase(world):
    return world.person().get(reverse("erase"))


@state
def respondent_erase_several(world):
    return world.returning().get(reverse("erase"))


@state
def respondent_erase_what_is_published(world):
    client = world.person(world.fresh, finished=True)
    Sitting.objects.filter(phase__cohort=world.fresh).update(released=True)
    return client.get(reverse("erase"))


@state
def respondent_erased(world):
    return world.person(finished=True).post(reverse("erase"))


@state
def respondent_erased_one_of_several(world):
    client = world.returning()
    seen = client.get(reverse("erase")).context["seen"]
    return client.post(reverse("erase"), {"what": "this", "seen": seen})


# --- A trainer -----------------------------------------------------------------------------------

page("trainer", "home", "admin:index")
page("trainer", "home-of-the-questionnaires", "admin:app_list", "assessments")
page("trainer", "cohorts", "admin:assessments_cohort_changelist")
page("trainer", "new-cohort", "admin:assessments_cohort_add")
page("trainer", "password", "admin:password_change")
page("trainer", "password-changed", "admin:password_change_done")


@state
def trainer_not_allowed(world):
    return world.browser("trainer").get(reverse("admin:assessments_event_changelist"))


@state
def trainer_password_refused(world):
    data = {"old_password": "x", "new_password1": "y", "new_password2": "z"}
    return world.browser("trainer").post(reverse("admin:password_change"), data)


@state
def trainer_no_cohort_yet(world):
    return world.browser("colleague").get(reverse("admin:assessments_cohort_changelist"))


@state
def trainer_home_with_no_cohort_yet(world):
    return world.browser("colleague").get(reverse("admin:index"))


@state
def trainer_new_cohort_refused(world):
    client = world.browser("trainer")
    there = reverse("admin:assessments_cohort_add")
    data = world.posted(client.get(there)) | {"name": "", "phases-0-closes_on": "2001-01-01"}
    return client.post(there, data)


@state
def trainer_next_intake(world):
    there = reverse("admin:assessments_cohort_add")
    return world.browser("trainer").get(there, {"copy": world.cohort.pk})


@state
def trainer_cohort_just_made(world):
    client = world.browser("trainer")
    there = reverse("admin:assessments_cohort_add")
    data = world.posted(client.get(there)) | {"name": "Internes de novembre"}
    return client.post(there, data, follow=True)


@state
def trainer_cohort(world):
    for days in (3, 2, 1):
        DailyCount.objects.create(
            phase=world.after,
            day=timezone.localdate() - timedelta(days=days),
            started_at_least=20 - 5 * days,
            finished_at_least=0,
        )
    return at_a_cohort(world, "change", world.cohort)


@state
def trainer_cohort_shared_and_followed_up(world):
    cohorts.add_trainer(world.cohort, world.people["colleague"], world.people["trainer"])
    phase = Phase(
        cohort=world.cohort,
        kind=Phase.Kind.FOLLOW_UP,
        opens_on=timezone.localdate() + timedelta(days=60),
    )
    cohorts.plan(phase, world.people["trainer"])
    return at_a_cohort(world, "change", world.cohort)


@state
def trainer_cohort_refused(world):
    client = world.browser("trainer")
    there = reverse("admin:assessments_cohort_change", args=(world.cohort.pk,))
    return client.post(there, world.posted(client.get(there)) | {"name": ""})


@state
def trainer_joining_paused(world):
    there = reverse("admin:assessments_cohort_pause", args=(world.cohort.pk, world.after.pk))
    return world.browser("trainer").post(there, {"paused": "yes"}, follow=True)


@state
def trainer_added_to_a_cohort(world):
    there = reverse("admin:assessments_cohort_trainers", args=(world.cohort.pk,))
    return world.browser("trainer").post(there, {"trainer-username": "colleague"}, follow=True)


@state
def trainer_unknown_to_the_service(world):
    there = reverse("admin:assessments_cohort_trainers", args=(world.cohort.pk,))
    return world.browser("trainer").post(there, {"trainer-username": "nobody"}, follow=True)


@state
def trainer_somebody_elses_cohort(world):
    there = reverse("admin:assessments_cohort_change", args=(world.cohort.pk,))
    return world.browser("colleague").get(there, follow=True)


@state
def trainer_history(world):
    return at_a_cohort(world, "history", world.fresh)


@state
def trainer_leave(world):
    cohorts.add_trainer(world.cohort, world.people["colleague"], world.people["trainer"])
    return at_a_cohort(world, "leave", world.cohort)


@state
def trainer_leave_as_the_last(world):
    there = reverse("admin:assessments_cohort_leave", args=(world.cohort.pk,))
    return world.browser("trainer").post(there, follow=True)


@state
def trainer_close(world):
    return at_a_cohort(world, "close", world.after)


@state
def trainer_results_of_an_open_phase(world):
    return at_a_cohort(world, "results", world.after)


@state
def trainer_results_of_too_few(world):
    return at_a_cohort(world, "results", world.few)


@state
def trainer_results_of_a_small_group(world):
    return at_a_cohort(world, "results", world.small)


@state
def trainer_results(world):
    return at_a_cohort(world, "results", world.before)


@state
def trainer_results_at_the_follow_up(world):
    return at_a_cohort(world, "results", world.story)


@state
def trainer_results_being_published(world):
    Phase.objects.filter(pk=world.few.pk).update(settled_on=None)
    world.job(world.few, state=Job.State.RUNNING, percent=40)
    return at_a_cohort(world, "results", world.few)


@state
def trainer_situations(world):
    return at_a_cohort(world, "situations", world.story)


@state
def trainer_debriefing_question(world):
    return at_a_cohort(world, "debriefing", world.story, 2, "question")


@state
def trainer_debriefing_answers(world):
    return at_a_cohort(world, "debriefing", world.story, 2, "answers")


@state
def trainer_debriefing_explanation(world):
    return at_a_cohort(world, "debriefing", world.story, 2, "explanation")


@state
def trainer_job_waiting(world):
    return at_a_cohort(world, "job", world.before, world.job(world.before, "results.pdf").pk)


@state
def trainer_job_running(world):
    job = world.job(world.before, "results.pdf", state=Job.State.RUNNING, percent=60)
    return at_a_cohort(world, "job", world.before, job.pk)


@state
def trainer_job_done(world):
    job = world.job(world.before, "results.pdf", state=Job.State.DONE, percent=100, file=b"%PDF-")
    return at_a_cohort(world, "job", world.before, job.pk)


@state
def trainer_job_failed(world):
    job = world.job(world.before, "results.pdf", state=Job.State.FAILED)
    return at_a_cohort(world, "job", world.before, job.pk)


@state
def trainer_results_printed(world):
    return at_a_cohort(world, "export", world.story, "results.pdf")


@state
def trainer_poster(world):
    return at_a_cohort(world, "poster", world.cohort)


@state
def trainer_poster_after_too_many(world):
    with out_of("STAFF_FILES"):
        return at_a_cohort(world, "poster", world.cohort)


@state
def trainer_file_for_the_auditor(world):
    return at_a_cohort(world, "qualiopi", world.cohort)


def at_a_cohort(
    world: World, view: str, of: Cohort | Phase, *more: object, who: str = "trainer"
) -> HttpResponse:
    args = (of.cohort_id, of.pk, *more) if isinstance(of, Phase) else (of.pk, *more)
    return world.browser(who).get(reverse(f"admin:assessments_cohort_{view}", args=args))


# --- The staff's door ----------------------------------------------------------------------------

page("anybody", "sign-in", "account_login")
page("trainer", "security", "mfa_index")
page("trainer", "authenticator-app", "mfa_activate_totp")
page("trainer", "passkey", "mfa_add_webauthn")


def again(world: World, who: str) -> User:
    """Somebody as they are kept: what a state changes of them is undone after it."""
    return User.objects.get(pk=world.people[who].pk)


def signing_in(world: World, who: str = "trainer", password: str = PASSWORD, **more: str):
    """Somebody's browser, after the first step."""
    user = again(world, who)
    user.set_password(PASSWORD)
    user.save()
    client = world.browser()
    sent = {"login": user.get_username(), "password": password, **more}
    return client, client.post(reverse("account_login"), sent)


def with_an_app(world: World, who: str = "trainer") -> str:
    return add_app(world.people[who])


def proven(world: World):
    """The trainer's browser, with a second factor that was shown."""
    seed = with_an_app(world)
    client, _answer = signing_in(world)
    client.post(reverse("mfa_authenticate"), {"code": digits(seed)})
    return client


def with_a_passkey(world: World, who: str = "trainer") -> Authenticator:
    return Authenticator.objects.create(
        user=world.people[who], type="webauthn", data={"name": "–", "credential": CREDENTIAL}
    )


@state
def anybody_sign_in_refused(world):
    return signing_in(world, password="wrong")[1]


@state
def anybody_sign_in_empty(world):
    return world.browser().post(reverse("account_login"))


@state
def anybody_locked_out(world):
    for _time in range(6):
        _client, answer = signing_in(world, password="wrong")
    return answer


@state
def anybody_second_step(world):
    with_an_app(world)
    with_a_passkey(world)
    client, _answer = signing_in(world)
    return client.get(reverse("mfa_authenticate"))


@state
def anybody_second_step_without_passkey(world):
    with_an_app(world)
    client, _answer = signing_in(world)
    return client.get(reverse("mfa_authenticate"))


@state
def anybody_second_step_refused(world):
    with_an_app(world)
    client, _answer = signing_in(world)
    return client.post(reverse("mfa_authenticate"), {"code": "000000"})


@state
def anybody_without_a_role(world):
    User.objects.filter(pk=world.people["judge"].pk).update(is_staff=False)
    client, _answer = signing_in(world, "judge")
    return client.get(reverse("admin:index"), follow=True)


@state
def anybody_chooses_a_password(world):
    link = accounts.reset_password(again(world, "colleague"), None)
    return world.browser().get(reverse("staff_welcome", args=link), follow=True)


@state
def anybody_chooses_a_password_refused(world):
    client = world.browser()
    link = accounts.reset_password(again(world, "colleague"), None)
    form = client.get(reverse("staff_welcome", args=link)).url
    return client.post(form, {"new_password1": "short", "new_password2": "other"})


@state
def anybody_link_used(world):
    return world.browser().get(reverse("staff_welcome", args=("MQ", "used")))


@state
def trainer_signed_out(world):
    return world.browser("trainer").post(reverse("admin:logout"), follow=True)


@state
def trainer_security_to_enrol(world):
    with override_settings(SECOND_FACTOR="required"):
        return world.browser("trainer").get(reverse("admin:index"), follow=True)


@state
def trainer_security_with_everything(world):
    client = proven(world)
    with_a_passkey(world)
    recovery.make(world.people["trainer"])
    return client.get(reverse("mfa_index"))


@state
def trainer_security_signed_in_elsewhere(world):
    for _time in range(2):
        signing_in(world)
    with_an_app(world)
    accounts.reset_second_factors(again(world, "trainer"), world.people["operator"])
    client, _answer = signing_in(world)
    client.get(reverse("admin:index"))
    return client.get(reverse("mfa_index"))


@state
def trainer_sessions_ended(world):
    signing_in(world)
    return world.browser("trainer").post(reverse("staff_sessions_end"), follow=True)


@state
def trainer_told_of_a_reset(world):
    trainer = again(world, "trainer")
    with_an_app(world)
    journal.record(Event.Action.SIGNED_IN, trainer, trainer)
    accounts.reset_second_factors(trainer, world.people["operator"])
    client, _answer = signing_in(world)
    return client.get(reverse("admin:index"))


@state
def trainer_authenticator_app_refused(world):
    return world.browser("trainer").post(reverse("mfa_activate_totp"), {"code": "0"})


@state
def trainer_authenticator_app_to_remove(world):
    return proven(world).get(reverse("mfa_deactivate_totp"))


@state
def trainer_authenticator_app_to_keep(world):
    with override_settings(SECOND_FACTOR="required"):
        return proven(world).post(reverse("mfa_deactivate_totp"))


@state
def trainer_passkey_refused(world):
    return world.browser("trainer").post(reverse("mfa_add_webauthn"), {"credential": "{}"})


@state
def trainer_passkey_to_remove(world):
    client, key = proven(world), with_a_passkey(world)
    return client.get(reverse("mfa_remove_webauthn", args=(key.pk,)))


@state
def trainer_recovery_codes(world):
    client = proven(world)
    return client.post(reverse("mfa_generate_recovery_codes"), follow=True)


@state
def trainer_recovery_codes_shown_before(world):
    client = proven(world)
    client.post(reverse("mfa_generate_recovery_codes"), follow=True)
    return client.get(reverse("mfa_view_recovery_codes"))


@state
def trainer_new_recovery_codes(world):
    return proven(world).get(reverse("mfa_generate_recovery_codes"))


@state
def trainer_confirms_by_password(world):
    client, _answer = signing_in(world)
    return client.get(reverse("account_reauthenticate"))


@state
def trainer_confirms_by_password_refused(world):
    client, _answer = signing_in(world)
    return client.post(reverse("account_reauthenticate"), {"password": "wrong"})


@state
def trainer_confirms_by_code(world):
    client, _answer = signing_in(world)
    with_an_app(world)
    return client.get(reverse("mfa_reauthenticate"))


@state
def trainer_confirms_by_passkey(world):
    client, _answer = signing_in(world)
    with_an_app(world)
    with_a_passkey(world)
    return client.get(reverse("mfa_reauthenticate_webauthn"))


# --- Whoever runs the service --------------------------------------------------------------------

page("operator", "words-of-the-scripts", "admin:jsi18n")
page("operator", "home", "admin:index")
page("operator", "cohorts", "admin:assessments_cohort_changelist")
page("operator", "journal", "admin:assessments_event_changelist")
page("operator", "accounts", "admin:auth_user_changelist")
page("operator", "new-account", "admin:auth_user_add")


@state
def operator_account(world):
    there = reverse("admin:auth_user_change", args=(world.people["colleague"].pk,))
    return world.browser("operator").get(there)


@state
def operator_new_account_refused(world):
    return world.browser("operator").post(reverse("admin:auth_user_add"), {"username": ""})


def at_an_account(world: World, view: str, who: str = "colleague", ask: str = "get"):
    there = reverse(f"admin:auth_user_{view}", args=(world.people[who].pk,))
    return getattr(world.browser("operator"), ask)(there)


@state
def operator_link_to_choose_a_password(world):
    return at_an_account(world, "link")


@state
def operator_link_made(world):
    return at_an_account(world, "link", ask="post")


@state
def operator_second_factors_of_an_account(world):
    with_an_app(world, "colleague")
    return at_an_account(world, "factors")


@state
def operator_account_without_second_factor(world):
    return at_an_account(world, "factors")


@state
def operator_sessions_of_an_account(world):
    signing_in(world, "colleague")
    return at_an_account(world, "sessions")


@state
def operator_account_signed_in_nowhere(world):
    return at_an_account(world, "sessions")


def in_the_journal(world: World, **choice: str) -> HttpResponse:
    there = reverse("admin:assessments_event_changelist")
    return world.browser("operator").get(there, choice)


@state
def operator_journal_of_one_action(world):
    return in_the_journal(world, action="closed")


@state
def operator_journal_of_nothing(world):
    return in_the_journal(world, text="nowhere")


@state
def operator_journal_chosen_wrongly(world):
    return in_the_journal(world, since="2027-03-02", until="2027-03-01", person="nobody")


@state
def operator_older_lines_of_the_journal(world):
    for _each in range(2 * LINES):
        journal.record(Event.Action.CREATED, None, "Ward 12")
    last = Event.objects.order_by("-at", "-pk")[LINES - 1]
    return in_the_journal(world, after=str(last.pk))


@state
def operator_entry_of_the_journal(world):
    there = reverse("admin:assessments_event_change", args=(world.event.pk,))
    return world.browser("operator").get(there)


@state
def operator_cohort(world):
    return at_a_cohort(world, "change", world.cohort, who="operator")


# --- An author -----------------------------------------------------------------------------------

page("author", "home", "admin:index")
page("author", "versions", "admin:assessments_instrumentversion_changelist")
page("author", "upload", "admin:assessments_instrumentversion_upload")
page("author", "panels", "admin:assessments_standardstudy_changelist")
page("author", "new-panel", "admin:assessments_standardstudy_add")


def at_a_document(world: World, view: str, *args: object) -> HttpResponse:
    there = reverse(f"admin:assessments_instrumentversion_{view}", args=args)
    return world.browser("author").get(there)


def uploaded(world: World, content: bytes | None) -> HttpResponse:
    there = reverse("admin:assessments_instrumentversion_upload")
    data = {} if content is None else {"document": as_archive(content)}
    return world.browser("author").post(there, data, follow=True)


@state
def author_upload_of_nothing(world):
    return uploaded(world, None)


@state
def author_upload_refused(world):
    return uploaded(world, broken())


@state
def author_version(world):
    return at_a_document(world, "document", f"v{world.version.pk}")


@state
def author_draft(world):
    return at_a_document(world, "document", f"d{world.draft.pk}")


@state
def author_situation(world):
    code = first_scenario(world)
    return at_a_document(world, "item", f"d{world.draft.pk}", "scenarios", code, "fr", "-")


@state
def author_question_of_context(world):
    code = world.asked.instrument.context[0].code
    return at_a_document(world, "item", f"v{world.version.pk}", "context", code, "en", "-")


@state
def author_self_rating(world):
    code = world.asked.instrument.self_ratings[0].code
    return at_a_document(world, "item", f"v{world.version.pk}", "self-ratings", code, "fr", "-")


@state
def author_comparison(world):
    return at_a_document(world, "compare", f"d{world.draft.pk}", f"v{world.version.pk}")


@state
def author_publish(world):
    return at_a_document(world, "publish", f"d{world.draft.pk}")


@state
def author_published(world):
    there = reverse("admin:assessments_instrumentversion_publish", args=(f"d{world.draft.pk}",))
    return world.browser("author").post(there, follow=True)


@state
def author_retire(world):
    return at_a_document(world, "retire", f"v{world.version.pk}")


@state
def author_retired(world):
    instruments.retire(world.version, world.people["author"])
    return at_a_document(world, "document", f"v{world.version.pk}")


@state
def author_discard(world):
    return at_a_document(world, "discard", f"d{world.draft.pk}")


@state
def author_quality_before_any_calibration(world):
    return at_a_document(world, "quality", world.version.pk)


@state
def author_quality(world):
    world.calibrate()
    return at_a_document(world, "quality", world.version.pk)


@state
def author_calibration(world):
    return at_a_document(world, "calibration", world.version.pk, world.calibrate().pk)


@state
def anybody_method_once_calibrated(world):
    world.calibrate()
    return world.browser().get(reverse("method"))


# --- A panel: its author, its judges -------------------------------------------------------------


def at_the_panel(world: World, who: str, view: str = "change", *more: object) -> HttpResponse:
    there = reverse(f"admin:assessments_standardstudy_{view}", args=(world.study.pk, *more))
    return world.browser(who).get(there)


def to_the_panel(world: World, who: str, view: str, *more: object, **data: object) -> HttpResponse:
    there = reverse(f"admin:assessments_standardstudy_{view}", args=(world.study.pk, *more))
    return world.browser(who).post(there, data, follow=True)


@state
def author_panel_in_its_first_round(world):
    return at_the_panel(world, "author")


@state
def author_panel_with_an_unknown_judge(world):
    return to_the_panel(world, "author", "judges", **{"judge-username": "nobody"})


@state
def author_first_round_to_close(world):
    world.judged("first")
    return at_the_panel(world, "author", "move", "discussion")


@state
def author_panel_in_discussion(world):
    world.judged("discussion")
    return at_the_panel(world, "author")


@state
def author_notes_of_the_discussion(world):
    world.judged("discussion")
    return at_the_panel(world, "author", "notes")


@state
def author_figures_of_the_first_round(world):
    world.judged("discussion")
    return at_the_panel(world, "author", "figures")


@state
def author_figures_of_both_rounds(world):
    world.judged("closed")
    return at_the_panel(world, "author", "figures")


@state
def author_figures_with_a_trial(world):
    world.judged("closed")
    scores = "\n".join(f"{score} 3" for score in range(20, 100, 4))
    return to_the_panel(world, "author", "scores", scores=scores)


@state
def author_trial_refused(world):
    world.judged("closed")
    return to_the_panel(world, "author", "scores", scores="many")


@state
def author_cut_scores_to_adopt(world):
    world.judged("closed")
    return at_the_panel(world, "author", "adopt")


@state
def author_cut_scores_refused(world):
    world.judged("closed")
    return to_the_panel(world, "author", "adopt", version="1999.1.")


@state
def author_cut_scores_adopted(world):
    world.judged("closed")
    return to_the_panel(world, "author", "adopt", version="1999.1")


@state
def author_panel_abandoned(world):
    return to_the_panel(world, "author", "move", "abandoned")


page("judge", "home", "admin:index")
page("judge", "panels", "admin:assessments_standardstudy_changelist")


@state
def judge_desk(world):
    return at_the_panel(world, "judge")


@state
def judge_instructions(world):
    return at_the_panel(world, "judge", "instructions")


@state
def judge_practice(world):
    return at_the_panel(world, "judge", "practice")


@state
def judge_practice_refused(world):
    return to_the_panel(world, "judge", "practice")


@state
def judge_practice_estimate(world):
    code = standards.practice(world.study).code
    return to_the_panel(world, "judge", "practice", **{f"answer-{code}": "a"})


@state
def judge_practice_estimate_below_chance(world):
    return to_the_panel(world, "judge", "practice", operational=5, expert=80)


@state
def judge_situation_alone(world):
    standards.practised(world.seat)
    return at_the_panel(world, "judge", "situation", 1)


@state
def judge_estimate(world):
    standards.practised(world.seat)
    standards.think(world.seat, standards.scenarios(world.study)[0].code)
    return at_the_panel(world, "judge", "situation", 1)


@state
def judge_estimate_refused(world):
    standards.practised(world.seat)
    standards.think(world.seat, standards.scenarios(world.study)[0].code)
    return to_the_panel(world, "judge", "situation", 1, operational=62, expert=50)


@state
def judge_desk_once_the_first_round_is_done(world):
    world.judged("first")
    return at_the_panel(world, "judge")


@state
def judge_what_is_acceptable(world):
    world.judged("first")
    return at_the_panel(world, "judge", "acceptable")


@state
def judge_what_is_acceptable_refused(world):
    world.judged("first")
    return to_the_panel(world, "judge", "acceptable", **{"operational-lowest_cut": 101})


@state
def judge_desk_in_discussion(world):
    world.judged("discussion")
    return at_the_panel(world, "judge")


@state
def judge_desk_in_the_second_round(world):
    world.judged("round-2")
    return at_the_panel(world, "judge")


@state
def judge_estimate_in_the_second_round(world):
    world.judged("round-2")
    return at_the_panel(world, "judge", "situation", 3)


@state
def judge_desk_once_it_is_over(world):
    world.judged("closed")
    return at_the_panel(world, "judge")
