"""Trying is counted once for all processes, by window, and nobody's address is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import RequestFactory

from assessments import limits
from assessments.limits import Limit
from assessments.models import Tally

FEW = Limit("few", 3, timedelta(minutes=10))
START = 1_795_860_000  # a window of ten minutes begins here


@pytest.fixture
def clock():
    with time_machine.travel(START + 60, tick=False) as clock:
        yield clock


@pytest.mark.django_db
def test_beyond_the_limit_one_waits_for_the_end_of_the_window(clock):
    assert [limits.spend((FEW, "ward")) for _ in range(5)] == [0, 0, 0, 540, 540]
    assert limits.spend((FEW, "another ward")) == 0
    clock.shift(540)
    assert limits.spend((FEW, "ward")) == 0


@pytest.mark.django_db
def test_what_is_refunded_does_not_add_up(clock):
    for _ in range(10):
        assert limits.spend((FEW, "ward")) == 0
        limits.refund((FEW, "ward"))
    limits.refund((FEW, "never tried"))
    assert [limits.spend((FEW, "ward")) for _ in range(4)] == [0, 0, 0, 540]


@pytest.mark.django_db
def test_tries_are_told_in_the_order_in_which_they_are_asked_for(clock):
    for who, times in (("ward", 2), ("hall", 1)):
        for _ in range(times):
            limits.spend((FEW, who))
    asked = [(FEW, who) for who in ("hall", "nobody", "ward", "hall")]
    assert limits.tries(*asked) == [1, 0, 2, 1]
    assert limits.rest(FEW) == 540


@pytest.mark.django_db
def test_every_limit_counts_and_the_longest_wait_is_told(clock):
    long = Limit("long", 1, timedelta(hours=1))
    assert limits.spend((FEW, "ward"), (long, "code")) == 0
    assert limits.spend((FEW, "ward"), (long, "code")) == 3600 - (START + 60) % 3600
    assert Tally.objects.count() == 2


@pytest.mark.django_db
def test_counts_are_forgotten_when_their_window_is_over(clock):
    limits.spend((FEW, "ward"))
    limits.forget()
    assert Tally.objects.count() == 1
    clock.shift(600)
    limits.forget()
    assert Tally.objects.count() == 0


@pytest.mark.django_db
def test_what_is_kept_tells_nobody(clock):
    limits.spend((FEW, "192.0.2.7"))
    (tally,) = Tally.objects.all()
    assert len(bytes(tally.key)) == Tally.KEY_BYTES
    assert b"192.0.2.7" not in bytes(tally.key)


@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_moment_do_not_all_pass():
    hour = Limit("hour", 5, timedelta(days=365))

    def attempt(_number: int) -> int:
        try:
            return limits.spend((hour, "ward"))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        waits = list(threads.map(attempt, range(40)))
    assert waits.count(0) == 5


@pytest.mark.parametrize(
    ("proxies", "passed", "client"),
    [
        (0, "203.0.113.9", "192.0.2.1/32"),
        (1, "203.0.113.9", "203.0.113.9/32"),
        (1, "invented, 203.0.113.9", "203.0.113.9/32"),
        (2, "203.0.113.9, 198.51.100.3", "203.0.113.9/32"),
        (2, "invented, 203.0.113.9, 198.51.100.3", "203.0.113.9/32"),
        (2, "198.51.100.3", "192.0.2.1/32"),  # somebody has gone around a proxy
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "::ffff:203.0.113.9", "203.0.113.9/32"),
        (1, "", "192.0.2.1/32"),
        (1, "<script>", ""),
    ],
)
def test_the_address_is_the_one_that_a_trusted_proxy_saw(settings, proxies, passed, client):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get(
        "/", REMOTE_ADDR="192.0.2.1", headers={"x-forwarded-for": passed}
    )
    assert limits.client(request) == client
