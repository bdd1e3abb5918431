"""What one page of questions costs, shown and sent, beside a view that does nothing behind the same
middleware. In process, through WSGI, on SQLite."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from .measuring import Figure, figure, growth, printed, ratio, told
from .walking import QUESTIONS, Transport, Visitor, begin, choose, fields, sit, token, within

ROUNDS, FEW, UNCOUNTED = 200, 40, 10
MOST = 4.0
SIZES, USUAL = (1, 2, 4, 8), 2
"""Scenarios on a page."""
PARTS = ("scenarios", "self-ratings", "context")


def served(a_page: int) -> Transport:
    """The application on an empty database that has the questionnaire, the bare view beside it;
    with so many scenarios on a page."""
    os.environ["DATABASE_URL"] = ""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from assessments import questionnaire

    call_command("migrate", verbosity=0)
    with open(os.devnull, "w") as nowhere:
        call_command("load_instrument", "seeds/ai-readiness", stdout=nowhere)
    call_command("collectstatic", interactive=False, verbosity=0)
    settings.ROOT_URLCONF = "tests.benchmarks.bare"
    questionnaire.SCENARIOS_A_PAGE = a_page
    from readiness.wsgi import application

    return within(application)


class Paging:
    """The first page of a part, asked for and answered again and again, each time with another
    choice. Each work tells the seconds that the server took."""

    def __init__(self, transport: Transport, part: str) -> None:
        self.visitor = Visitor(transport, random.Random(1))
        self.there = begin(self.visitor)
        while f"/{part}/" not in self.there:
            self.read()
            self.there = self.visitor.send(self.there, self.sent | self.answers)
        self.read()
        self.newcomer = Visitor(transport, random.Random(2))
        """Who is at the same page and has answered nothing."""
        begin(self.newcomer)

    def read(self) -> None:
        page = self.visitor.see(self.there)
        self.sent = token(page) | {"seen": fields(page)["seen"][0]}
        self.offered = fields(page)
        self.questions = [name for name in self.offered if name.startswith(QUESTIONS)]
        self.answers: dict[str, str] = {}
        for name in self.questions:
            self.answers |= choose(self.offered, name, self.visitor.chance)

    def show_first(self) -> float:
        """As nearly everybody sees it: nothing is answered yet."""
        return self.newcomer.ask("GET", self.there).seconds

    def show(self) -> float:
        """As answered by nobody before: each time something else is chosen."""
        told = self.visitor.ask("GET", self.there)
        self.sent["seen"] = fields(told.text)["seen"][0]
        return told.seconds

    def change(self) -> None:
        name = self.visitor.chance.choice(self.questions)
        others = set(self.offered[name]) - {self.answers[name], "dont_know"}
        self.answers[name] = self.visitor.chance.choice(sorted(others))

    def save(self) -> float:
        """As the page's script does when a choice is made."""
        self.change()
        sent = self.sent | self.answers | {"go": "keep"}
        told = self.visitor.ask("POST", self.there, sent, accept="application/json")
        seen = json.loads(told.text)["seen"]
        if seen == self.sent["seen"]:
            raise RuntimeError("nothing was saved")
        self.sent["seen"] = seen
        return told.seconds

    def send(self) -> float:
        """And go on."""
        self.change()
        told = self.visitor.ask("POST", self.there, self.sent | self.answers)
        if told.status != 302 or told.header("location") == self.there:
            raise RuntimeError(f"{self.there} leads to {told.header('location')!r}")
        return told.seconds

    def bare(self) -> float:
        """A view that does nothing is shown, to the same browser."""
        return self._bare("GET")

    def bare_sent(self) -> float:
        """The same is sent to it: a form without its token is refused before."""
        return self._bare("POST", self.sent | self.answers)

    def _bare(self, method: str, data: dict[str, str] | None = None) -> float:
        told = self.visitor.ask(method, "/bare/", data)
        if told.status != 200:
            raise RuntimeError(f"the bare view says {told.status}")
        return told.seconds


def taken(paging: Paging, rounds: int) -> dict[str, list[float]]:
    """Seconds of each work in each round that counts."""
    # What is shown is sent back. What follows upon a save finds cold caches: the bare view and the
    # page are therefore asked for once before they count.
    turn = (paging.bare, paging.show_first, paging.show, paging.save, paging.bare_sent, paging.send)
    spent: dict[str, list[float]] = {}
    for number in range(rounds + UNCOUNTED):
        for work in turn:
            if work in (paging.bare, paging.show_first):
                work()
            seconds = work()
            if number >= UNCOUNTED:
                spent.setdefault(work.__name__, []).append(seconds)
    return spent


def anew(paging: Paging) -> list[float]:
    """Seconds of the page where no process has shown it yet: it is rendered, and kept."""
    from assessments.views import steps

    spent = []
    for _round in range(FEW):
        steps._kept_page.cache_clear()
        paging.bare()
        spent.append(paging.show_first())
    return spent


WORKS = (
    ("show_first", "shown, nothing answered yet", "bare"),
    ("show", "shown, answered as by nobody before", "bare"),
    ("send", "sent as a form", "bare_sent"),
    ("save", "a choice saved by the script", "bare_sent"),
)
"""What is done to a page, how it is called, and what it is held against."""


def measured() -> Iterator[Figure]:
    transport = served(USUAL)
    sit(Visitor(transport, random.Random(0)))  # what is loaded once, is
    if transport("POST", "/bare/", {}, b"").status == 200:
        raise RuntimeError("the bare view takes a form without its token")
    for part in PARTS:
        paging = Paging(transport, part)
        spent = taken(paging, ROUNDS)
        for name, what, bare in WORKS:
            yield figure(
                f"a page of {part}, {what}",
                spent[name],
                unit="ms CPU",
                scale=1_000,
                yardstick="a bare view",
                yardsticks=spent[bare],
                at_most=MOST,
                note=f"{len(paging.questions)} questions",
            )
        yield printed(
            f"a page of {part}, the first time that a process shows it",
            [1_000 * seconds for seconds in anew(paging)],
            unit="ms CPU",
        )
    found = [by_size(size) for size in SIZES]
    for name, what, _bare in WORKS:
        yield growth(
            f"a page of scenarios, {what}, by their number",
            SIZES,
            [each[name] for each in found],
            unit="× bare",
            most=1.0,
        )


def by_size(size: int) -> dict[str, float]:
    """Ratios to the bare view, with so many scenarios a page: in a process of its own, for a
    questionnaire is laid out once."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        told = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.pages", str(size)],
            env=os.environ | {"READINESS_DATA": folder}, check=True, capture_output=True, text=True,
        )  # fmt: skip
    return json.loads(told.stdout)


def ratios(size: int) -> dict[str, float]:
    paging = Paging(served(size), "scenarios")
    if len(paging.questions) != size:
        raise RuntimeError(f"{len(paging.questions)} scenarios on a page, not {size}")
    spent = taken(paging, FEW)
    return {name: ratio(spent[name], spent[bare]) for name, _what, bare in WORKS}


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.stdout.write(json.dumps(ratios(int(sys.argv[1]))) + "\n")
    else:
        told(measured())
