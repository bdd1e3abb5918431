"""What the doors of the admin show; who gets through which is in ``tests/security/matrix.txt``."""

import pytest
from django.urls import reverse

from assessments.models import Release, Sitting

from .conftest import browser

UNDER_A_PHASE: dict[str, tuple[object, ...]] = {
    "close": (),
    "pause": (),
    "results": (),
    "export": ("results.csv",),
    "situations": (),
    "debriefing": (1, "question"),
}
UNDER_A_COHORT = ("trainers", "leave", "poster", "qualiopi")


def address(door: str, phase) -> str:
    more = (phase.pk, *UNDER_A_PHASE[door]) if door in UNDER_A_PHASE else ()
    return reverse(f"admin:assessments_cohort_{door}", args=(phase.cohort_id, *more))


def test_nobody_elses_cohort_is_copied(phase, stranger, desk):
    copy = f"{reverse('admin:assessments_cohort_add')}?copy={phase.cohort_id}"
    assert phase.cohort.name in desk.get(copy).text
    assert phase.cohort.name not in browser(stranger).get(copy).text


@pytest.mark.parametrize(
    ("door", "status"),
    [
        ("results", 200),
        ("export", 404),
        ("qualiopi", 404),
        ("situations", 302),
        ("debriefing", 302),
    ],
)
def test_what_is_not_published_yet_is_not_served(phase, desk, door, status):
    assert desk.get(address(door, phase)).status_code == status


def test_whoever_runs_the_service_is_offered_no_door_that_is_closed_to_them(phase, operator):
    page = browser(operator).get(
        reverse("admin:assessments_cohort_change", args=(phase.cohort_id,))
    )
    assert page.status_code == 200
    refused = [address(door, phase) for door in (*UNDER_A_PHASE, *UNDER_A_COHORT)]
    assert not [there for there in refused if f'"{there}"' in page.text]


def test_nobody_is_offered_to_delete(phase, desk, operator):
    for person in (desk, browser(operator)):
        listing = person.get(reverse("admin:assessments_cohort_changelist"))
        assert "delete_selected" not in listing.text


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
