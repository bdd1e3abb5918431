"""Too many wrong tries: who waits, who does not, and what is told."""

from __future__ import annotations

import pytest
from django.test import override_settings
from django.urls import reverse

from assessments.limits import Limit
from assessments.models import Event, Tally
from assessments.staff import attempts

from .conftest import PASSWORD, add_app, browser, digits, sign_in, type_digits

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def wrong(times: int, name: str = "trainer", address: str = HERE) -> list[int]:
    client = browser(address=address)
    return [sign_in(client, name, "wrong").status_code for _time in range(times)]


@pytest.mark.parametrize("name", ["trainer", "nobody"])
def test_the_sixth_wrong_try_waits_whoever_it_is(trainer, name):
    assert wrong(7, name) == [200] * 5 + [429] * 2
    page = sign_in(browser(), name, PASSWORD)
    assert page.status_code == 429  # the right password does not help now
    assert 0 < int(page["Retry-After"]) <= 900
    assert "Please wait" in page.text
    assert "minute" in page.text
    assert "no-store" in page["Cache-Control"]
    french = sign_in(browser("fr"), name, "wrong")
    assert 'lang="fr"' in french.text


def test_the_account_stays_open_elsewhere(trainer):
    wrong(20)
    assert sign_in(browser(address=ELSEWHERE), "trainer").status_code == 302


def test_other_ways_of_writing_a_name_are_the_same_account(trainer):
    wrong(5)
    for name in ("TRAINER", " trainer ", "ｔrainer"):
        assert sign_in(browser(), name, "wrong").status_code == 429


def test_honest_tries_do_not_add_up(trainer):
    for _time in range(12):
        assert sign_in(browser(), "trainer").status_code == 302


def test_an_account_waits_after_wrong_tries_from_everywhere(trainer):
    for number in range(attempts.PASSWORD.most // 5):
        wrong(5, address=f"203.0.113.{number}")
    assert sign_in(browser(address=ELSEWHERE), "trainer").status_code == 429


def test_an_address_waits_after_many_accounts(trainer):
    for number in range(attempts.ADDRESS.most):
        wrong(1, f"guess{number}")
    assert sign_in(browser(), "trainer").status_code == 429
    assert sign_in(browser(address=ELSEWHERE), "trainer").status_code == 302


def test_a_ward_behind_one_address_goes_on_when_one_errs(trainer, operator):
    wrong(20)
    assert sign_in(browser(), "operator").status_code == 302


def test_the_counts_hold_no_name_and_no_address(trainer):
    wrong(6)
    kept = b"".join(bytes(tally.key) for tally in Tally.objects.all())
    assert b"trainer" not in kept
    assert HERE.encode() not in kept


def test_a_lockout_is_one_line_and_a_stranger_has_no_name(trainer):
    wrong(9)
    wrong(9, "my own password, in the wrong field")
    lines = Event.objects.filter(action="locked-out").values_list("subject", flat=True)
    assert sorted(lines) == ["trainer", "–"]
    assert not Event.objects.filter(subject__contains="wrong field").exists()


def test_codes_are_counted_and_the_right_one_comes_too_late(trainer):
    seed = add_app(trainer)
    client = browser()
    sign_in(client, "trainer")
    assert [type_digits(client, "000000").status_code for _time in range(6)] == [200] * 5 + [429]
    answer = type_digits(client, digits(seed))
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert client.get(reverse("admin:index")).status_code == 302
    assert Event.objects.filter(action="code-refused", subject="trainer").count() == 5
    assert Event.objects.filter(action="locked-out").count() == 1


def test_codes_of_an_account_are_counted_over_all_addresses(trainer):
    add_app(trainer)
    answers = []
    for number in range(4):
        client = browser(address=f"203.0.113.{number}")
        sign_in(client, "trainer")
        answers += [type_digits(client, "000000").status_code for _time in range(4)]
    assert answers.count(200) == attempts.CODE.most


def test_the_old_password_is_no_place_to_guess(trainer):
    client = browser()
    sign_in(client, "trainer")
    sent = {"old_password": "wrong", "new_password1": "x", "new_password2": "x"}
    there = reverse("admin:password_change")
    assert [client.post(there, sent).status_code for _time in range(6)] == [200] * 5 + [429]


def test_confirming_is_no_place_to_guess(trainer):
    client = browser()
    sign_in(client, "trainer")
    there = reverse("account_reauthenticate")
    answers = [client.post(there, {"password": "wrong"}).status_code for _time in range(6)]
    assert answers == [200] * 5 + [429]


@override_settings(TRUSTED_PROXIES=1)
def test_an_address_is_the_one_the_proxy_saw(trainer):
    client = browser(address="10.0.0.1")
    for number in range(6):
        last = client.post(
            reverse("account_login"),
            {"login": "trainer", "password": "wrong"},
            headers={"x-forwarded-for": f"1.2.3.{number}, {HERE}"},
        )
    assert last.status_code == 429


def test_challenges_are_not_asked_for_without_end(db, monkeypatch):
    monkeypatch.setattr(attempts, "BEGUN", Limit("begun, in a test", 3, attempts.HOUR))
    there, asked = reverse("mfa_login_webauthn"), {"accept": "application/json"}
    answers = [browser().get(there, headers=asked).status_code for _time in range(4)]
    assert answers == [200] * 3 + [429]
