"""The trainer's room: from signing in to the results of the group."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from assessments import codes, cohorts, releases, sittings
from assessments.demonstration import USERNAME, demonstration, simulated_sheet
from assessments.instrument.loading import load
from assessments.instruments import instrument_of, publish
from assessments.models import Cohort, DailyCount, Job, Phase
from assessments.roles import make_trainer
from tests.conftest import SEEDS

from .conftest import DESKTOP, PHONE, check

PASSWORD = "une phrase de passe"


def sign_in(page: Page, site: str, username: str = USERNAME) -> None:
    page.goto(site + reverse("admin:index"))
    page.fill("#id_login", username)
    page.fill("#id_password", PASSWORD)
    with page.expect_navigation():
        page.press("#id_password", "Enter")
    expect(page.locator("#user-tools")).to_be_visible()


@pytest.fixture
def made(transactional_db):
    """The demonstration: a phase closed and published, another open."""
    publish(load(SEEDS))
    made = demonstration()
    user = get_user_model().objects.get(username=USERNAME)
    user.set_password(PASSWORD)
    user.save()
    return made


def test_the_whole_room(browser, live_server, made):
    """On a phone, in English; test_keyboard.py has walked it on a desktop, in French."""
    page = browser.new_page(locale="en-GB", viewport=PHONE)
    sign_in(page, live_server.url)
    page.goto(live_server.url + reverse("admin:assessments_cohort_add"))
    page.fill("#id_name", "Internes de novembre")
    with page.expect_navigation():
        page.locator("input[name=_save]").click()
    cohort = Cohort.objects.get(name="Internes de novembre")
    assert cohort.phases.get().kind == "before"
    assert cohort.trainers.get().username == USERNAME

    page.goto(live_server.url + reverse("admin:assessments_cohort_change", args=[cohort.pk]))
    link = page.locator("input[id=link]").input_value()
    assert link.endswith(f"/c/{cohort.code}/")

    after = made.cohort.phases.get(kind="after")
    change = reverse("admin:assessments_cohort_change", args=[made.cohort.pk])
    close = reverse("admin:assessments_cohort_close", args=[made.cohort.pk, after.pk])
    results = reverse("admin:assessments_cohort_results", args=[made.cohort.pk, after.pk])
    page.goto(live_server.url + change)
    page.locator(f"a[href='{close}']").click()
    page.wait_for_url("**" + close)
    page.locator(
        "#content form button[type=submit], #content form input[type=submit]"
    ).first.click()
    page.wait_for_url("**" + results)
    assert page.locator("#content svg[role=img]").count() >= 4
    assert page.locator("#content table").count() >= 2
    first = page.locator("#content").inner_text()
    page.reload()
    assert page.locator("#content").inner_text() == first
    page.close()


@pytest.fixture
def closed(made) -> Callable[..., Phase]:
    """Has people answer a phase, and closes it."""
    user = get_user_model().objects.get(username=USERNAME)
    chance = random.Random(3)

    def close(cohort: Cohort, kind: str, people: int, breakdown: str = "") -> Phase:
        phase = Phase(cohort=cohort, kind=kind, opens_on=timezone.localdate(), breakdown=breakdown)
        cohorts.plan(phase, user)
        for person in range(people):
            sitting = sittings.open_sitting(
                codes.new_code(codes.RESUME_LENGTH),
                version=phase.version,
                phase=phase,
                language="fr",
            )
            asked = sittings.questionnaire_of(sitting)
            sheet = simulated_sheet(asked.instrument, phase.form, 0.9, chance)
            sheet.context["profession"] = (("nurse", "physician")[person % 2],)
            sitting.answers = asked.layout.pack(sheet)
            sitting.deeds = [{"step": "any", "deed": deed} for deed in ("done", "begun")]
            sitting.save(update_fields=["answers", "deeds"])
            sittings.finish(sitting)
        releases.close(phase, user)
        return phase

    return close


def another(name: str) -> Cohort:
    """Another cohort of the same trainer."""
    cohort = Cohort(name=name, simulated=True)
    cohorts.create(cohort, get_user_model().objects.get(username=USERNAME))
    return cohort


@pytest.fixture
def story(made, closed):
    """The demonstration cohort, its follow-up included, and two others to compare it with."""
    for name in ("Faculté", "Clinique"):
        closed(another(name), "follow-up", 11)
    return closed(made.cohort, "follow-up", 44, "profession")


def address(site: str, door: str, of: Phase | Cohort, *more: object) -> str:
    args = (of.pk,) if isinstance(of, Cohort) else (of.cohort_id, of.pk, *more)
    return site + reverse(f"admin:assessments_cohort_{door}", args=args)


def test_the_story_and_the_projector(browser, live_server, story):
    page = browser.new_page(locale="fr-FR", viewport=DESKTOP)
    site = live_server.url
    sign_in(page, site)
    page.goto(address(site, "results", story))
    for section in ("changes", "classes", "deeds", "confident"):
        expect(page.locator(f"h2#{section}")).to_be_visible()
    for stage in ("question", "answers", "explanation"):
        page.goto(address(site, "debriefing", story, 2, stage))
        expect(page.locator("h1")).to_be_focused()
    page.close()


def test_one_walks_through_the_debriefing_by_its_keys(watched, live_server, story):
    page, site = watched, live_server.url
    page.set_viewport_size({"width": 1280, "height": 720})
    sign_in(page, site)
    page.goto(address(site, "results", story))
    page.locator(f"a[href$='{reverse_path('debriefing', story, 1, 'question')}']").click()
    page.wait_for_url("**" + reverse_path("debriefing", story, 1, "question"))
    for key, number, stage in (
        ("ArrowRight", 1, "answers"),
        ("Space", 1, "explanation"),
        ("PageDown", 2, "question"),
        ("ArrowLeft", 1, "explanation"),
        ("PageUp", 1, "answers"),
        ("ArrowLeft", 1, "question"),
    ):
        page.keyboard.press(key)
        page.wait_for_url("**" + reverse_path("debriefing", story, number, stage))
    page.keyboard.press("Control+ArrowRight")  # the browser's own
    page.keyboard.press("Escape")
    page.wait_for_url("**" + reverse_path("results", story))


def reverse_path(door: str, of: Phase | Cohort, *more: object) -> str:
    return address("", door, of, *more)


SCREENS = ({"width": 1280, "height": 720}, {"width": 1920, "height": 1080})


@pytest.mark.long
@pytest.mark.parametrize(("kind", "form"), [("before", "A"), ("after", "B")], ids=["A", "B"])
def test_every_stage_fits_on_a_projected_screen(browser, live_server, closed, kind, form):
    phase = closed(another("Clinique"), kind, 22)
    assert phase.form == form
    asked = instrument_of(phase.version.digest).scenarios_of(form)
    page = browser.new_page(locale="fr-FR", viewport=SCREENS[0])
    sign_in(page, live_server.url)
    cut, keys = [], []
    # What both forms ask is looked at once.
    for number in [n for n, item in enumerate(asked, 1) if item.forms[0] == form]:
        for stage in ("question", "answers", "explanation"):
            page.goto(address(live_server.url, "debriefing", phase, number, stage))
            page.evaluate("document.fonts.ready")
            for screen in SCREENS:
                page.set_viewport_size(screen)
                page.wait_for_function("height => innerHeight === height", arg=screen["height"])
                over = page.evaluate("document.documentElement.scrollHeight - innerHeight")
                if over > 1:
                    cut.append((number, stage, screen["height"], over))
                if (number, stage) == (24, "explanation"):  # which is in one form only
                    keys.append(
                        page.locator(".options .key").first.evaluate(
                            "node => parseFloat(getComputedStyle(node).fontSize) / innerHeight"
                        )
                    )
    assert cut == []
    assert len(keys) == 2
    assert min(keys) > 1 / 36  # twenty pixels of 720
    page.close()


def test_without_scripts_one_goes_by_the_links(browser, live_server, story):
    context = browser.new_context(locale="fr-FR", java_script_enabled=False)
    page = context.new_page()
    sign_in_without_scripts(page, live_server.url)
    page.goto(address(live_server.url, "debriefing", story, 1, "question"))
    page.locator("a[rel=next]").click()
    page.wait_for_url("**" + reverse_path("debriefing", story, 1, "answers"))
    page.locator("a[rel=prev]").click()
    page.wait_for_url("**" + reverse_path("debriefing", story, 1, "question"))
    context.close()


def sign_in_without_scripts(page: Page, site: str) -> None:
    page.goto(site + reverse("admin:index"))
    page.fill("#id_login", USERNAME)
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    expect(page.locator("#user-tools")).to_be_visible()


def test_a_cohort_is_followed_paused_shared_and_copied(browser, live_server, made):
    make_trainer(get_user_model().objects.create_user("colleague"))
    after = made.cohort.phases.get(kind="after")
    for days in (3, 2, 1):
        DailyCount.objects.create(
            phase=after,
            day=timezone.localdate() - timedelta(days=days),
            started_at_least=20 - 5 * days,
            finished_at_least=0,
        )
    page = browser.new_page(locale="fr-FR", viewport=DESKTOP)
    site = live_server.url
    sign_in(page, site)
    page.goto(address(site, "change", made.cohort))
    for details in page.locator(".room details > summary").all():
        details.click()
    for value, paused in (("yes", True), ("no", False)):
        with page.expect_navigation():
            page.locator(f"button[name=paused][value={value}]").click()
        after.refresh_from_db()
        assert after.paused is paused
    page.fill("#id_trainer-username", "colleague")
    with page.expect_navigation():
        page.press("#id_trainer-username", "Enter")
    assert made.cohort.trainers.count() == 2
    page.locator(f"a[href='{reverse_path('leave', made.cohort)}']").click()
    page.wait_for_url("**" + reverse_path("leave", made.cohort))
    page.goto(address(site, "change", made.cohort))
    page.locator(f"a[href$='?copy={made.cohort.pk}']").click()
    page.wait_for_url(f"**?copy={made.cohort.pk}")
    with page.expect_navigation():
        page.locator("input[name=_save]").click()
    copied = Cohort.objects.exclude(pk=made.cohort.pk).get()
    assert [phase.kind for phase in copied.phases.all()] == ["before", "after"]
    page.close()


def test_a_job_is_watched_until_it_is_done(watched, live_server, made):
    page, site = watched, live_server.url
    before = made.cohort.phases.get(kind="before")
    user = get_user_model().objects.get(username=USERNAME)
    job = Job.objects.create(
        phase=before, work=Job.Work.EXPORT, export="results.csv", actor=user, language="fr"
    )
    sign_in(page, site)
    page.goto(address(site, "job", before, job.pk))
    for percent in (10, 60):
        Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, percent=percent)
        page.wait_for_function(
            "percent => document.querySelector('#done').value === percent", arg=percent
        )
    page.locator("#progress a").focus()
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE, percent=100, file=b"figures")
    file = page.locator(f"#progress a[href='{reverse_path('job_file', before, job.pk)}']")
    expect(file).to_be_visible()
    expect(file).to_be_focused()
    check(page)
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, file=None)
    page.reload()


def test_results_that_are_being_published_appear_by_themselves(watched, live_server, made):
    page, site = watched, live_server.url
    before = made.cohort.phases.get(kind="before")
    user = get_user_model().objects.get(username=USERNAME)
    job = Job.objects.create(phase=before, work=Job.Work.PUBLISH, actor=user, language="fr")
    Phase.objects.filter(pk=before.pk).update(settled_on=None)
    sign_in(page, site)
    page.goto(address(site, "results", before))
    expect(page.locator("#progress")).to_be_visible()
    Phase.objects.filter(pk=before.pk).update(settled_on=timezone.localdate())
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE, percent=100)
    expect(page.locator("#progress")).to_have_count(0)
    expect(page.locator("h2#standing")).to_be_visible()


def test_another_trainer_reaches_nothing(browser, live_server, made):
    stranger = get_user_model().objects.create_user("stranger", password=PASSWORD)
    make_trainer(stranger)
    page = browser.new_page(locale="fr-FR")
    sign_in(page, live_server.url, "stranger")
    before = made.cohort.phases.get(kind="before")
    for address in (
        reverse("admin:assessments_cohort_change", args=[made.cohort.pk]),
        reverse("admin:assessments_cohort_results", args=[made.cohort.pk, before.pk]),
        reverse("admin:assessments_cohort_close", args=[made.cohort.pk, before.pk]),
        reverse_path("situations", before),
        reverse_path("debriefing", before, 1, "answers"),
        reverse_path("leave", made.cohort),
    ):
        page.goto(live_server.url + address)
        assert made.cohort.name not in page.content()
    page.goto(live_server.url + reverse("admin:assessments_cohort_changelist"))
    assert made.cohort.name not in page.content()
    page.close()


def test_respondents_see_the_very_same_page_as_an_example(browser, live_server, made):
    page = browser.new_page(locale="fr-FR")
    page.goto(live_server.url + reverse("example"))
    assert page.locator("main svg[role=img]").count() >= 4
    page.close()
