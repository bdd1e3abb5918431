"""Landing, notice, resume code, and coming back."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assessments import codes, sittings
from assessments.models import Sitting

from .conftest import Person, address


def test_nothing_is_kept_before_the_notice_is_read(client, version):
    client.post(reverse("landing"))
    assert client.get(reverse("start")).headers["Location"] == reverse("notice")
    client.post(reverse("start"), {"token": "x"})
    assert not Sitting.objects.exists()


def test_the_notice_needs_a_door(client, version):
    assert client.get(reverse("notice")).headers["Location"] == reverse("landing")
    assert client.get(reverse("start")).headers["Location"] == reverse("landing")


def test_only_a_keyed_hash_of_the_code_is_kept(person):
    code = codes.normalised(person.code, codes.RESUME_LENGTH)
    kept = bytes(person.sitting.code_hash)
    assert kept == codes.hashed(code, settings.SECRET_KEY)
    assert kept != codes.hashed(code, "another key")
    assert code.encode() not in kept


def test_the_language_of_the_start_is_that_of_the_download(person, asked):
    person.answer_all(asked)
    person.client.post(reverse("review"))
    bare = Client()
    bare.cookies.load({name: person.client.cookies[name].value for name in person.client.cookies})
    assert 'lang="en"' in bare.get(reverse("results")).text[:100]


def test_sending_the_code_page_twice_opens_one_sitting(client, version):
    client.post(reverse("landing"))
    client.post(reverse("notice"))
    token = client.get(reverse("start")).context["form"].initial["token"]
    for _press in range(2):
        client.post(reverse("start"), {"token": token})
    assert Sitting.objects.count() == 1


def test_the_button_pressed_twice_before_the_answer_came(client, version):
    """The second press still carries the cookie of before."""
    client.post(reverse("landing"))
    client.post(reverse("notice"))
    token = client.get(reverse("start")).context["form"].initial["token"]
    before = client.cookies["readiness_session"].value
    client.post(reverse("start"), {"token": token})
    client.cookies["readiness_session"] = before
    assert client.post(reverse("start"), {"token": token}).headers["Location"] == reverse("sitting")
    assert client.get(reverse("sitting")).headers["Location"] == address("context", 1)
    assert Sitting.objects.count() == 1


def test_holding_a_sitting_ends_what_the_browser_held(person):
    before = person.client.cookies["readiness_session"].value
    person.client.post(reverse("resume"), {"code": person.code})
    after = person.client.cookies["readiness_session"].value
    assert after != before
    stale = Client()
    stale.cookies["readiness_session"] = before
    assert stale.get(reverse("sitting")).headers["Location"] == reverse("resume")


def test_the_shown_group_code_is_an_address_too(client, phase):
    shown = codes.grouped(phase.cohort.code).lower()
    assert client.get(f"/c/{shown}/", follow=True).status_code == 200
    assert client.get("/c/%00/").status_code == 404


def test_an_old_or_forged_token_gets_a_new_code(client, version):
    client.post(reverse("landing"))
    client.post(reverse("notice"))
    response = client.post(reverse("start"), {"token": "forged"})
    assert response.status_code == 200
    assert "here is a new code" in response.text
    assert not Sitting.objects.exists()


def test_the_language_button_keeps_the_code(client, version):
    client.post(reverse("landing"))
    client.post(reverse("notice"))
    shown = client.get(reverse("start"))
    token = shown.context["form"].initial["token"]
    other = client.post(reverse("start"), {"token": token, "language": "fr"})
    assert other.context["code"] == shown.context["code"]
    assert 'lang="fr"' in other.text[:100]
    assert not Sitting.objects.exists()
    token = other.context["form"].initial["token"]
    client.post(reverse("start"), {"token": token})
    code = codes.normalised(shown.context["code"], codes.RESUME_LENGTH)
    assert sittings.find_by_code(code) is not None


def test_the_qr_link_carries_the_code_in_its_fragment_only(client, version, monkeypatch):
    links = []
    from assessments.views import joining

    monkeypatch.setattr(joining, "qr", lambda link, title: links.append(link) or "")
    client.post(reverse("landing"))
    client.post(reverse("notice"))
    code = client.get(reverse("start")).context["code"].replace("-", "")
    path, _, fragment = links[0].partition("#")
    assert fragment == code
    assert code not in path


@pytest.mark.parametrize("dress", [str, str.lower, lambda code: f" {code.replace('-', ' ')} "])
def test_the_code_opens_the_sitting_on_another_device(person, dress):
    person.answer("self-ratings", 1)
    other = Client()
    response = other.post(reverse("resume"), {"code": dress(person.code)})
    assert response.headers["Location"] == reverse("sitting")
    assert other.session["sitting"] == person.sitting.pk


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Type your resume code"),
        ("ABC", "should have 16"),
        ("0000-0000-0000-0000", "should have 16"),
        ("2222-2222-2222-2222", "This code opens no questionnaire"),
    ],
)
def test_a_code_that_opens_nothing_says_why(client, version, typed, said):
    response = client.post(reverse("resume"), {"code": typed})
    assert response.status_code == 422
    assert said in response.text
    assert "sitting" not in client.session


def test_without_cookie_or_code_nobody_reaches_a_sitting(person):
    stranger = Client()
    for path in (
        address("context", 1),
        address("scenarios", 1),
        reverse("sitting"),
        reverse("review"),
        reverse("results"),
        reverse("explained", args=(1,)),
        reverse("workings"),
        reverse("report"),
        reverse("answers"),
        reverse("plans"),
        reverse("erase"),
        reverse("turn"),
    ):
        response = stranger.get(path)
        assert response.headers["Location"] == reverse("resume"), path


def test_starting_signs_off_whoever_used_the_computer_before(person):
    first = person.sitting.pk
    second = Person()
    second.client = person.client
    second.begin()
    assert second.sitting.pk != first


def test_a_group_door_opens_its_phase(phase):
    person = Person()
    person.begin(reverse("cohort", kwargs={"access": phase.cohort.code}))
    assert person.sitting.phase == phase


def test_a_typed_group_code_leads_to_the_group(client, phase):
    code = phase.cohort.code
    response = client.post(reverse("group"), {"access": f"{code[:4]} {code[4:].lower()}"})
    assert response.headers["Location"] == reverse("cohort", kwargs={"access": code})
    assert "No group has this code" in client.post(reverse("group"), {"access": "2222-2222"}).text
    assert client.get(reverse("cohort", kwargs={"access": "22222222"})).status_code == 404


@pytest.mark.parametrize("days", [{"opens_on": 1}, {"opens_on": -9, "closes_on": -1}, None])
def test_a_group_that_is_not_open_says_so(client, phase, days):
    today = timezone.localdate()
    if days is None:
        phase.closed_on = today
    for field, shift in (days or {}).items():
        setattr(phase, field, today + timedelta(days=shift))
    phase.save()
    door = reverse("cohort", kwargs={"access": phase.cohort.code})
    assert "takes no new answers" in client.get(door).text
    assert client.post(door).status_code == 200
    assert "joining" not in client.session


def test_a_phase_closed_while_the_code_was_noted_opens_nothing(client, phase):
    client.post(reverse("cohort", kwargs={"access": phase.cohort.code}))
    client.post(reverse("notice"))
    token = client.get(reverse("start")).context["form"].initial["token"]
    phase.closed_on = timezone.localdate()
    phase.save()
    client.post(reverse("start"), {"token": token})
    assert not Sitting.objects.exists()


def test_leaving_empties_the_browser(person):
    person.client.post(reverse("leave"))
    assert person.see("context", 1).headers["Location"] == reverse("resume")


def test_private_pages_are_kept_in_no_cache(person):
    for path in (address("context", 1), reverse("review"), reverse("resume")):
        assert "no-store" in person.client.get(path).headers["Cache-Control"]


def test_open_sitting_refuses_a_closed_phase(phase):
    phase.closed_on = timezone.localdate()
    phase.save()
    with pytest.raises(sittings.PhaseClosed):
        sittings.open_sitting(codes.new_code(16), version=phase.version, phase=phase, language="fr")
