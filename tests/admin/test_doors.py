"""Who gets through which door."""

import pytest
from django.urls import reverse

from assessments import cohort_exports
from assessments.models import Cohort, Event, Job, Phase, Release, Sitting

from .conftest import browser, user

UNDER_A_PHASE: dict[str, tuple[object, ...]] = {
    "close": (),
    "pause": (),
    "results": (),
    "export": ("results.csv",),
    "situations": (),
    "debriefing": (1, "question"),
    "job": (1,),
    "job_file": (1,),
}
UNDER_A_COHORT = ("trainers", "leave", "poster", "qualiopi")
CUSTOM = (*UNDER_A_PHASE, *UNDER_A_COHORT)
PAGES = ("change", "history", *CUSTOM)
ONLY_POST = ("pause", "trainers")


def address(door: str, phase: Phase) -> str:
    more = (phase.pk, *UNDER_A_PHASE[door]) if door in UNDER_A_PHASE else ()
    return reverse(f"admin:assessments_cohort_{door}", args=(phase.cohort_id, *more))


def knocks(client, door: str, there: str):
    """What a door answers to whoever looks, and to whoever acts."""
    sent = {"paused": "yes", "trainer-username": "stranger"}
    if door not in ONLY_POST:
        yield client.get(there)
    yield client.post(there, sent)


@pytest.fixture(autouse=True)
def job(phase, trainer) -> Job:
    """A file made for the trainer: its doors have something behind them."""
    return Job.objects.create(
        pk=1,
        phase=phase,
        actor=trainer,
        work=Job.Work.EXPORT,
        export="results.csv",
        language="en",
        state=Job.State.DONE,
        file=b"what the group did",
    )


@pytest.fixture(autouse=True)
def poster(monkeypatch) -> None:
    monkeypatch.setattr(cohort_exports, "poster", lambda cohort, link: link.encode())


@pytest.fixture
def untouched(phase):
    """Whatever was tried, the cohort is as it was."""
    trainers = set(phase.cohort.trainers.all())
    yield
    found = Phase.objects.get()
    assert (found.closed_on, found.paused) == (None, False)
    assert set(Cohort.objects.get(pk=phase.cohort_id).trainers.all()) == trainers
    assert not Event.objects.filter(action="exported").exists()


@pytest.mark.parametrize("door", PAGES)
def test_nobody_gets_in_without_signing_in(phase, untouched, door):
    for answer in knocks(browser(), door, address(door, phase)):
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("admin:login"))


@pytest.mark.parametrize("door", CUSTOM)
def test_staff_without_the_right_are_refused(phase, untouched, door):
    clerk = browser(user("clerk", is_staff=True))
    for answer in knocks(clerk, door, address(door, phase)):
        assert answer.status_code == 403


@pytest.mark.parametrize("door", PAGES)
def test_somebody_elses_cohort_does_not_exist(phase, untouched, stranger, door):
    elsewhere = browser(stranger)
    for answer in knocks(elsewhere, door, address(door, phase)):
        assert (answer.status_code, answer.url) == (302, reverse("admin:index"))
        landed = elsewhere.get(answer.url).content.decode()
        assert phase.cohort.name not in landed
        assert phase.cohort.code not in landed
    listed = elsewhere.get(reverse("admin:assessments_cohort_changelist"))
    assert phase.cohort.name not in listed.text


def test_nobody_elses_cohort_is_copied(phase, stranger, desk):
    copy = f"{reverse('admin:assessments_cohort_add')}?copy={phase.cohort_id}"
    assert phase.cohort.name in desk.get(copy).text
    assert phase.cohort.name not in browser(stranger).get(copy).text


@pytest.mark.parametrize("door", [door for door in CUSTOM if door not in ONLY_POST])
def test_a_foreign_cohort_answers_as_one_that_was_never_there(phase, stranger, door):
    there = address(door, phase)
    nowhere = there.replace(f"/cohort/{phase.cohort_id}/", "/cohort/999/")
    elsewhere = browser(stranger)
    found, missing = elsewhere.get(there, follow=True), elsewhere.get(nowhere, follow=True)
    said = [[str(note) for note in page.context["messages"]] for page in (found, missing)]
    assert said[0] == [note.replace("999", str(phase.cohort_id)) for note in said[1]]


@pytest.mark.parametrize("door", UNDER_A_PHASE)
def test_a_phase_is_found_only_under_its_own_cohort(phase, desk, trainer, door):
    other = Cohort.objects.create(name="Mine too", created_on=phase.opens_on)
    other.trainers.add(trainer)
    crossed = reverse(
        f"admin:assessments_cohort_{door}", args=(other.pk, phase.pk, *UNDER_A_PHASE[door])
    )
    for answer in knocks(desk, door, crossed):
        assert answer.url == reverse("admin:index")
    assert Phase.objects.get().closed_on is None


@pytest.mark.parametrize("door", ["job", "job_file"])
def test_a_job_is_found_only_under_its_own_phase(phase, desk, trainer, job, door):
    other = Phase.objects.create(
        cohort=phase.cohort, kind="after", opens_on=phase.opens_on, version=phase.version, form="B"
    )
    Job.objects.update(phase=other)
    answer = desk.get(address(door, phase))
    if door == "job":
        assert answer.url == address("change", phase)
    else:
        assert answer.status_code == 404


SEES = {
    "export": 404,  # nothing is published yet
    "qualiopi": 404,
    "situations": 302,
    "debriefing": 302,
}


@pytest.mark.parametrize("door", [door for door in PAGES if door not in ONLY_POST])
def test_its_trainer_gets_in(phase, desk, door):
    assert desk.get(address(door, phase)).status_code == SEES.get(door, 200)


def test_what_only_acts_is_not_a_page(phase, desk, untouched):
    for door in ONLY_POST:
        assert desk.get(address(door, phase)).status_code == 405


def test_whoever_runs_the_service_administers_but_does_not_read(phase, untouched, operator):
    server = browser(operator)
    for door in CUSTOM:
        for answer in knocks(server, door, address(door, phase)):
            assert answer.status_code == 403
    page = server.get(address("change", phase))
    assert page.status_code == 200
    refused = [address(door, phase) for door in CUSTOM]
    assert not [there for there in refused if f'"{there}"' in page.text]


def test_nothing_is_deleted(phase, desk, operator):
    remove = reverse("admin:assessments_cohort_delete", args=(phase.cohort_id,))
    for person in (desk, browser(operator)):
        assert person.post(remove, {"post": "yes"}).status_code == 403
        listing = person.get(reverse("admin:assessments_cohort_changelist"))
        assert "delete_selected" not in listing.content.decode()
    assert Cohort.objects.count() == 1


def test_the_journal_is_read_only_and_the_operators(phase, desk, operator):
    journal = reverse("admin:assessments_event_changelist")
    assert desk.get(journal).status_code == 403
    assert browser(operator).get(journal).status_code == 200
    event = Event.objects.first()
    for page in ("change", "delete"):
        there = reverse(f"admin:assessments_event_{page}", args=(event.pk,))
        assert browser(operator).post(there, {"subject": "x", "post": "yes"}).status_code == 403
    assert browser(operator).get(reverse("admin:assessments_event_add")).status_code == 403


def test_versions_are_read_only_and_their_document_stays_in_the_database(version, desk, operator):
    listing = reverse("admin:assessments_instrumentversion_changelist")
    one = reverse("admin:assessments_instrumentversion_change", args=(version.pk,))
    assert desk.get(listing).status_code == 403
    server = browser(operator)
    listed = server.get(listing).content.decode()
    assert f"{version.digest[:12]}…" in listed
    assert version.digest not in listed
    page = server.get(one, follow=True).content.decode()
    assert version.digest in page
    assert "sub_competency" not in page
    assert server.post(one, {"code": "other"}).status_code == 403


def test_no_address_of_the_admin_is_about_a_sitting_or_a_release(operator):
    server = browser(operator)
    for model in (Sitting, Release):
        assert server.get(f"/admin/assessments/{model._meta.model_name}/").status_code == 404


@pytest.mark.django_db
def test_the_door_is_in_the_readers_language():
    page = browser().get(reverse("account_login"), headers={"accept-language": "fr"})
    assert 'lang="fr"' in page.content.decode()
    assert "Nom d’utilisateur" in page.content.decode()
    assert 'lang="en"' in browser().get(reverse("account_login")).content.decode()
