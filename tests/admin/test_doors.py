"""Who gets through which door."""

import pytest
from django.urls import reverse

from assessments.models import Cohort, Event, Phase, Release, Sitting

from .conftest import browser, user

CUSTOM = ("close", "results")


def address(door: str, phase: Phase) -> str:
    if door in CUSTOM:
        return reverse(f"admin:assessments_cohort_{door}", args=(phase.cohort_id, phase.pk))
    return reverse(f"admin:assessments_cohort_{door}", args=(phase.cohort_id,))


PAGES = ("change", "history", *CUSTOM)


@pytest.mark.parametrize("door", PAGES)
def test_nobody_gets_in_without_signing_in(phase, door):
    for send in (browser().get, browser().post):
        answer = send(address(door, phase))
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("admin:login"))
    assert Phase.objects.get().closed_on is None


@pytest.mark.parametrize("door", CUSTOM)
def test_staff_without_the_right_are_refused(phase, door):
    clerk = browser(user("clerk", is_staff=True))
    for send in (clerk.get, clerk.post):
        assert send(address(door, phase)).status_code == 403
    assert Phase.objects.get().closed_on is None


@pytest.mark.parametrize("door", PAGES)
def test_somebody_elses_cohort_does_not_exist(phase, stranger, door):
    elsewhere = browser(stranger)
    for send in (elsewhere.get, elsewhere.post):
        answer = send(address(door, phase), follow=True)
        assert answer.redirect_chain == [(reverse("admin:index"), 302)]
        assert phase.cohort.name not in answer.content.decode()
        assert phase.cohort.code not in answer.content.decode()
    assert Phase.objects.get().closed_on is None
    listed = elsewhere.get(reverse("admin:assessments_cohort_changelist"))
    assert phase.cohort.name not in listed.text


@pytest.mark.parametrize("door", CUSTOM)
def test_a_foreign_cohort_answers_as_one_that_was_never_there(phase, stranger, door):
    there = address(door, phase)
    nowhere = there.replace(f"/{phase.cohort_id}/", "/999/")
    elsewhere = browser(stranger)
    found, missing = elsewhere.get(there, follow=True), elsewhere.get(nowhere, follow=True)
    said = [[str(note) for note in page.context["messages"]] for page in (found, missing)]
    assert said[0] == [note.replace("999", str(phase.cohort_id)) for note in said[1]]


@pytest.mark.parametrize("door", CUSTOM)
def test_a_phase_is_found_only_under_its_own_cohort(phase, desk, trainer, door):
    other = Cohort.objects.create(name="Mine too", created_on=phase.opens_on)
    other.trainers.add(trainer)
    crossed = reverse(f"admin:assessments_cohort_{door}", args=(other.pk, phase.pk))
    assert desk.get(crossed).url == reverse("admin:index")


@pytest.mark.parametrize("door", PAGES)
def test_its_trainer_gets_in(phase, desk, door):
    assert desk.get(address(door, phase)).status_code == 200


def test_whoever_runs_the_service_administers_but_does_not_read(phase, operator):
    server = browser(operator)
    assert server.get(address("change", phase)).status_code == 200
    for door in CUSTOM:
        assert server.get(address(door, phase)).status_code == 403
        assert server.post(address(door, phase)).status_code == 403
    assert Phase.objects.get().closed_on is None


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
    assert version.digest in server.get(listing).content.decode()
    page = server.get(one).content.decode()
    assert version.digest in page
    assert "sub_competency" not in page
    assert server.post(one, {"code": "other"}).status_code == 403


def test_no_address_of_the_admin_is_about_a_sitting_or_a_release(operator):
    server = browser(operator)
    for model in (Sitting, Release):
        assert server.get(f"/admin/assessments/{model._meta.model_name}/").status_code == 404


@pytest.mark.django_db
def test_the_door_is_in_the_readers_language():
    page = browser().get(reverse("admin:login"), headers={"accept-language": "fr"})
    assert 'lang="fr"' in page.content.decode()
    assert "Nom d’utilisateur" in page.content.decode()
    assert 'lang="en"' in browser().get(reverse("admin:login")).content.decode()
