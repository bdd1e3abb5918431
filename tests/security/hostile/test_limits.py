"""Guessing ends early; a whole ward behind one address is never taken for it."""

from __future__ import annotations

import contextlib
import random
import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from assessments import codes, limits, press, sittings
from assessments.instruments import default_form
from assessments.limits import Limit
from assessments.models import Cohort, Phase, Sitting, Tally
from assessments.views import limited
from tests.sitting.conftest import Person, address

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

WARD = "192.0.2.7"
ELSEWHERE = "198.51.100.9"


def browser(address: str = WARD) -> Client:
    return Client(headers={"accept-language": "en"}, REMOTE_ADDR=address)


def invented(length: int = codes.RESUME_LENGTH) -> str:
    return codes.grouped(codes.new_code(length))


def guess(client: Client, door: str) -> int:
    """One guess at a door: the status it is answered with."""
    match door:
        case "resume":
            answer = client.post(reverse("resume"), {"code": invented()})
        case "group":
            answer = client.post(reverse("group"), {"access": invented(codes.ACCESS_LENGTH)})
        case "link":
            code = codes.new_code(codes.ACCESS_LENGTH)
            answer = client.get(reverse("cohort", args=[code]))
        case "start":
            answer = client.post(reverse("start"), {"earlier": invented()})
    return answer.status_code


def mistyped(rng: random.Random, code: str) -> str:
    """A code with one sign read wrong."""
    at = rng.randrange(len(code))
    other = rng.choice([sign for sign in codes.ALPHABET if sign != code[at]])
    return code[:at] + other + code[at + 1 :]


# --- A whole ward ---------------------------------------------------------------------------------


def test_300_people_behind_one_address_who_mistype_are_never_limited(phase, clock):
    """They start within two minutes. Half mistype their group's code, and a fifth of them twice;
    a fifth come back by their resume code at once, all of whom mistype it first."""
    rng = random.Random(6)
    code, refused = phase.cohort.code, 0
    for number in range(300):
        person = Person()
        person.client = browser()
        tries = [mistyped(rng, code) for _ in range(rng.choice([0, 0, 0, 0, 0, 1, 1, 1, 1, 2]))]
        for typed in [*tries, code]:
            answer = person.client.post(reverse("group"), {"access": typed})
            refused += answer.status_code == 429
        person.begin(answer.headers["Location"])
        if number % 5 == 0:
            resume_code = codes.normalised(person.code, codes.RESUME_LENGTH)
            for typed in (mistyped(rng, resume_code), person.code):
                answer = browser().post(reverse("resume"), {"code": typed})
                refused += answer.status_code == 429
            assert answer.status_code == 302
        clock.shift(0.4)
    assert refused == 0
    assert Sitting.objects.count() == 300


def test_a_code_misread_by_the_whole_room_is_one_guess(phase):
    wrong = mistyped(random.Random(1), phase.cohort.code)
    statuses = {
        browser().post(reverse("group"), {"access": wrong}).status_code
        for _person in range(limited.GUESSES.most + 1)
    }
    assert statuses == {422}


def test_what_cannot_be_a_code_is_no_guess(version):
    client = browser()
    for _ in range(20):
        client.post(reverse("resume"), {"code": "0"})
        client.post(reverse("group"), {"access": "hello"})
        client.get("/c/hello/")
    assert not Tally.objects.exists()


# --- Guessing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["resume", "group", "link", "start"])
def test_of_many_guesses_all_but_the_first_few_are_refused(door, version, monkeypatch):
    most = 40
    monkeypatch.setattr(limited, "GUESSES", Limit("few", most, timedelta(minutes=15)))
    client = browser()
    statuses = [guess(client, door) for _ in range(2 * most)]
    assert 429 not in statuses[:most]
    assert set(statuses[most:]) == {429}


def test_guessing_ends_at_the_limit_we_set(version):
    client = browser()
    statuses = [guess(client, "resume") for _ in range(500)]
    assert statuses.index(429) == limited.GUESSES.most == 400
    assert set(statuses[limited.GUESSES.most :]) == {429}
    assert guess(browser(ELSEWHERE), "resume") == 422


@pytest.fixture
def few(monkeypatch) -> int:
    """Limits that are soon reached."""
    quarter = timedelta(minutes=15)
    monkeypatch.setattr(limited, "GUESSES", Limit("few", 3, quarter))
    monkeypatch.setattr(limited, "GROUP_GUESSES", Limit("few of a group", 3, quarter))
    return 3


def test_one_guesser_changes_doors_in_vain(version, few):
    client = browser()
    assert [guess(client, "resume"), guess(client, "link"), guess(client, "group")] == [
        422,
        404,
        422,
    ]
    assert {guess(client, door) for door in ("resume", "group", "link", "start")} == {429}


def test_past_the_limit_a_right_code_tells_nothing_either(person, phase, few):
    guesser = browser()
    for _ in range(few):
        guess(guesser, "resume")
    assert guesser.post(reverse("resume"), {"code": person.code}).status_code == 429
    assert guesser.get(reverse("cohort", args=[phase.cohort.code])).status_code == 429
    again = browser(ELSEWHERE).post(reverse("resume"), {"code": person.code})
    assert again.headers["Location"] == reverse("sitting")


def test_a_guess_sent_twice_passes_no_limit(version, few):
    """The second of two alike is free only where the first has been answered."""
    client = browser()
    for _ in range(few):
        guess(client, "resume")
    same = {"code": invented()}
    assert [client.post(reverse("resume"), same).status_code for _ in range(3)] == [429] * 3


def test_the_way_by_an_open_door_is_no_way_around(phase, few):
    """By the field for a code from before, at a later moment of one's group."""
    Phase.objects.update(kind=Phase.Kind.AFTER)
    client = browser()
    client.post(reverse("cohort", args=[phase.cohort.code]))
    client.post(reverse("notice"))
    shown = client.get(reverse("start"))
    token = shown.context["form"].initial["token"]
    answers = [
        client.post(reverse("start"), {"token": token, "earlier": invented()})
        for _ in range(2 * few + 1)
    ]
    # The group pays, then the address; then nobody.
    assert [each.status_code for each in answers] == [422] * 2 * few + [429]
    assert "Nothing is lost" in answers[-1].text
    assert shown.context["code"] in answers[-1].text  # the new code is still the same
    opened = client.post(reverse("start"), {"token": token, "earlier": ""})
    assert opened.status_code == 302  # and still opens


def test_who_came_by_the_groups_door_is_not_held_to_the_address(phase, few):
    """Somebody in the same ward guesses: those who have joined go on, by the group's purse."""
    Phase.objects.update(kind=Phase.Kind.AFTER)
    colleague = browser()
    link = reverse("cohort", args=[phase.cohort.code])
    colleague.post(link)
    colleague.post(reverse("notice"))
    before = Person()
    before.begin()
    guesser = browser()
    for _ in range(few + 1):
        guess(guesser, "resume")
    assert guess(guesser, "resume") == 429
    assert colleague.get(link).status_code == 200
    token = colleague.get(reverse("start")).context["form"].initial["token"]
    typed = {"token": token, "earlier": before.code}
    assert colleague.post(reverse("start"), typed).status_code == 302


def test_right_codes_are_counted_nowhere(person, phase, few):
    client, before = browser(), set(Tally.objects.values_list("key", "count"))
    for _ in range(5 * few):
        assert client.post(reverse("resume"), {"code": person.code}).status_code == 302
        assert client.get(reverse("cohort", args=[phase.cohort.code])).status_code == 200
    assert set(Tally.objects.values_list("key", "count")) == before


def test_guesses_at_the_same_moment_are_all_paid_for(phase, few):
    """Those that were let in together are looked up; whoever comes after them is not."""
    purse = (limited.GUESSES, "ward")
    looked = []

    def look(number: int = 1) -> None:
        looked.append(number)
        if number < 2 * few:  # the next is let in before this one is known to be wrong
            with contextlib.suppress(limited.Limited):
                limited.found(lambda: look(number + 1), f"code {number}", purse)

    with contextlib.suppress(limited.Limited):
        limited.found(look, "code 0", purse)
    assert looked == list(range(1, 2 * few + 1))
    assert limits.tries(purse) == [2 * few]
    with pytest.raises(limited.Limited):
        limited.found(lambda: pytest.fail("looked up"), "another", purse)


# --- What a refusal says --------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["resume", "group", "link", "start"])
def test_a_refusal_says_how_long_and_that_nothing_is_lost(door, phase, few):
    client = browser()
    for _ in range(few):
        guess(client, "resume")
    match door:
        case "resume":
            answer = client.post(reverse("resume"), {"code": invented()})
        case "group":
            answer = client.post(reverse("group"), {"access": invented(codes.ACCESS_LENGTH)})
        case "link":
            answer = client.get(reverse("cohort", args=[phase.cohort.code]))
        case "start":
            answer = client.post(reverse("start"), {"earlier": invented()})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == str(13 * 60)
    assert "Try again in 13 minutes." in answer.text
    assert "Nothing is lost" in answer.text


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        (1, "Try again in 1 second."),
        (59, "Try again in 59 seconds."),
        (61, "Try again in 2 minutes."),
        (90 * 60, "Try again in 90 minutes."),
        (5 * 3600 + 1, "Try again in 6 hours."),
    ],
)
def test_the_wait_is_never_told_too_short(wait, said):
    assert limited.words(wait) == said


def test_the_answers_that_a_code_carries_outlast_the_wait(person, asked, few, clock):
    """The session had ended in the middle of a page, and then somebody guessed nearby."""
    item = asked.page("scenarios", 1).items[0]
    posted = {"seen": person.seen("scenarios", 1), f"answer-{item.code}": "b"}
    nearby = browser()
    for _ in range(few):
        guess(nearby, "resume")
    bare = browser()
    ended = bare.post(address("scenarios", 1), posted)
    carried = dict(ended.context["carried"])
    refused = bare.post(reverse("resume"), carried | {"code": person.code})
    assert refused.status_code == 429
    assert dict(refused.context["carried"]) == carried
    clock.shift(timedelta(minutes=15))
    kept = bare.post(reverse("resume"), dict(refused.context["carried"]) | {"code": person.code})
    assert kept.status_code == 302
    sheet = sittings.sheet_of(person.sitting)
    assert sheet.answers[item.code].option == "b"


def test_a_script_is_told_in_a_few_words(person, monkeypatch):
    monkeypatch.setattr(limited, "FILES", Limit("none", 0, timedelta(minutes=10)))
    answer = person.client.get(reverse("answers"), headers={"accept": "application/json"})
    assert answer.status_code == 429
    assert "Try again in 8 minutes." in answer.json()["said"]


# --- Right, wrong, erased -------------------------------------------------------------------------


def work(how: str, door: str, code: str) -> tuple[int, str, list[str]]:
    """What a code is answered, and the kinds of queries that it takes."""
    client = browser()
    with CaptureQueriesContext(connection) as queries:
        match how:
            case "link":
                answer = client.get(reverse(door, args=[code]))
            case field:
                answer = client.post(reverse(door), {field: code})
    body = re.sub(r'csrfmiddlewaretoken" value="\w+', "", answer.text.replace(code, "…"))
    return answer.status_code, body, [each["sql"].split()[0] for each in queries]


def test_an_erased_code_and_one_that_never_was_are_the_same(person):
    code = person.code
    sittings.erase(person.sitting)
    status, body, queries = work("code", "resume", code)
    assert (status, body, queries) == work("code", "resume", invented())
    assert status == 422
    assert queries


def test_a_group_that_is_gone_and_one_that_never_was_are_the_same(phase):
    gone = phase.cohort.code
    Phase.objects.all().delete()
    Cohort.objects.all().delete()
    never = codes.new_code(codes.ACCESS_LENGTH)
    assert work("access", "group", gone) == work("access", "group", never)
    assert work("link", "cohort", gone) == work("link", "cohort", never)
    assert work("link", "cohort", never)[:2] == work("link", "cohort", "0O0O0O0O")[:2]


# --- Opening, printing ----------------------------------------------------------------------------


def test_nobody_fills_the_database_from_one_address(version, monkeypatch):
    monkeypatch.setattr(limited, "OPENINGS", Limit("few", 5, timedelta(days=1)))
    doors = [browser().post(reverse("landing")) for _ in range(8)]
    assert [each.status_code for each in doors] == [302] * 5 + [429] * 3
    assert "every answer is safe" in doors[-1].text
    assert browser(ELSEWHERE).post(reverse("landing")).status_code == 302


def test_a_group_pays_for_its_own_before_the_address_does(phase, monkeypatch):
    day = timedelta(days=1)
    monkeypatch.setattr(limited, "OPENINGS", Limit("few", 2, day))
    monkeypatch.setattr(limited, "GROUP_OPENINGS", Limit("few of a group", 5, day))
    for _ in range(3):
        browser().post(reverse("landing"))
    assert browser().post(reverse("landing")).status_code == 429
    link = reverse("cohort", args=[phase.cohort.code])
    statuses = [browser().post(link).status_code for _ in range(6)]
    assert statuses == [302] * 5 + [429]


def test_going_back_to_the_door_counts_once(version, monkeypatch):
    monkeypatch.setattr(limited, "OPENINGS", Limit("few", 1, timedelta(days=1)))
    client = browser()
    assert {client.post(reverse("landing")).status_code for _ in range(4)} == {302}


def test_opening_once_more_with_the_same_code_counts(person, asked, monkeypatch):
    person.answer_all(asked)
    person.client.post(reverse("review"))
    monkeypatch.setattr(limited, "OPENINGS_HERE", Limit("none", 0, timedelta(days=1)))
    answer = person.client.post(reverse("again"))
    assert answer.status_code == 429
    assert Sitting.objects.count() == 1


@pytest.mark.parametrize("here", ["127.0.0.1", "::1", "::ffff:127.0.0.1", ""])
def test_this_machine_s_own_address_is_given_more(finished, here):
    """It is a proxy's that nobody has declared, or a load test's: everybody's."""
    own = Client(REMOTE_ADDR=here).get(reverse("privacy")).wsgi_request
    assert limited.openings(own, None) == [(limited.OPENINGS_HERE, "")]
    assert limited.guesses(own) == [(limited.GUESSES_HERE, "")]
    assert limited.prints(own, finished.sitting)[1] == (limited.PRINTS_HERE, "")
    there = browser().get(reverse("privacy")).wsgi_request
    ward = f"{WARD}/32"
    assert limited.openings(there, None) == [(limited.OPENINGS, ward)]
    assert limited.guesses(there) == [(limited.GUESSES, ward)]
    assert limited.prints(there, finished.sitting)[1] == (limited.ADDRESS_PRINTS, ward)


def test_a_scan_from_this_machine_s_address_leaves_room_for_right_codes(person, few):
    """Behind a proxy that nobody has declared, it is the address of all."""
    everybody = browser("127.0.0.1")
    for _ in range(3 * few):
        assert guess(everybody, "resume") == 422
    assert everybody.post(reverse("resume"), {"code": person.code}).status_code == 302


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2.7:51034", "192.0.2.7/32"),
        ("2001:db8::7", "2001:db8::/64"),
        ("[2001:db8::7]:51034", "2001:db8::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("unknown", ""),
        ("[", ""),
    ],
)
def test_an_address_is_found_as_proxies_tell_it(settings, rf, told, found):
    """Some add the port; all who come through one would else be one."""
    settings.TRUSTED_PROXIES = 1
    assert limits.client(rf.get("/", headers={"x-forwarded-for": f"10.0.0.1, {told}"})) == found


@pytest.fixture
def finished(person, asked) -> Person:
    person.answer_all(asked)
    person.client.post(reverse("review"))
    return person


def test_documents_are_limited_by_sitting_then_by_address(finished, monkeypatch):
    monkeypatch.setattr(limited, "PRINTS", Limit("few", 2, timedelta(minutes=10)))
    monkeypatch.setattr(press, "pdf", lambda *_args: b"%PDF-")
    ask = finished.client.get
    assert [ask(reverse("report")).status_code for _ in range(4)] == [200, 200, 429, 429]
    assert finished.client.post(reverse("certificate")).status_code == 429
    assert ask(reverse("results")).status_code == 200
    # What was refused to the sitting has taken nothing from its address.
    _sitting, place = limited.prints(ask(reverse("results")).wsgi_request, finished.sitting)
    assert limits.tries(place) == [2]


def test_a_document_that_could_not_be_made_is_refunded(finished, monkeypatch):
    def busy(*_args):
        raise press.Busy

    monkeypatch.setattr(press, "pdf", busy)
    answer = finished.client.get(reverse("report"))
    assert answer.status_code == 503
    charges = limited.prints(answer.wsgi_request, finished.sitting)
    assert limits.tries(*charges) == [0, 0]


def test_saving_is_never_limited(person, asked, monkeypatch):
    """Not even where every limit there is has been reached."""
    monkeypatch.setattr(limits, "spend", lambda *_charges: 60)
    item = asked.page("scenarios", 1).items[0]
    for option in "abcd" * 5:
        answer = person.answer("scenarios", 1, **{f"answer-{item.code}": option})
        assert answer.status_code == 302


def test_a_group_of_another_trainer_has_a_purse_of_its_own(phase, version, monkeypatch):
    monkeypatch.setattr(limited, "GROUP_OPENINGS", Limit("one", 1, timedelta(days=1)))
    monkeypatch.setattr(limited, "OPENINGS", Limit("none", 0, timedelta(days=1)))
    today = timezone.localdate()
    other = Cohort.objects.create(name="Pédiatrie", created_on=today)
    other.trainers.add(get_user_model().objects.create_user("another"))
    Phase.objects.create(
        cohort=other,
        kind=Phase.Kind.BEFORE,
        opens_on=today,
        version=version,
        form=default_form(version),
    )
    statuses = [
        browser().post(reverse("cohort", args=[cohort.code])).status_code
        for cohort in (phase.cohort, phase.cohort, other)
    ]
    assert statuses == [302, 429, 302]
