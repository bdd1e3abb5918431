"""What one page of questions costs, shown and sent, beside a view that does nothing behind the same
middleware. In process, through WSGI, on SQLite."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator

from .measuring import Figure, figure, told
from .walking import QUESTIONS, Transport, Visitor, begin, choose, fields, sit, token, within

ROUNDS, UNCOUNTED = 200, 10
MOST = 4.0
PARTS = ("scenarios", "self-ratings", "context")


def served() -> Transport:
    """The application on an empty database that has the questionnaire, the bare view beside it."""
    os.environ["DATABASE_URL"] = ""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    with open(os.devnull, "w") as nowhere:
        call_command("load_instrument", "seeds/ai-readiness", stdout=nowhere)
    call_command("collectstatic", interactive=False, verbosity=0)
    settings.ROOT_URLCONF = "tests.benchmarks.bare"
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

    def read(self) -> None:
        page = self.visitor.see(self.there)
        self.sent = token(page) | {"seen": fields(page)["seen"][0]}
        self.offered = fields(page)
        self.questions = [name for name in self.offered if name.startswith(QUESTIONS)]
        self.answers: dict[str, str] = {}
        for name in self.questions:
            self.answers |= choose(self.offered, name, self.visitor.chance)

    def show(self) -> float:
        told = self.visitor.ask("GET", self.there)
        self.sent["seen"] = fields(told.body.decode())["seen"][0]
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
        seen = json.loads(told.body)["seen"]
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


def measured() -> Iterator[Figure]:
    transport = served()
    sit(Visitor(transport, random.Random(0)))  # what is loaded once, is
    if transport("POST", "/bare/", {}, b"").status == 200:
        raise RuntimeError("the bare view takes a form without its token")
    for part in PARTS:
        paging = Paging(transport, part)
        # Shown before it is sent, for what is sent tells what had been seen.
        turn: tuple[Callable[[], float], ...] = (
            paging.bare, paging.show, paging.save, paging.bare_sent, paging.send,
        )  # fmt: skip
        taken: dict[str, list[float]] = {work.__name__: [] for work in turn}
        for _number in range(ROUNDS + UNCOUNTED):
            for work in turn:
                taken[work.__name__].append(work())
        counted = {name: spent[UNCOUNTED:] for name, spent in taken.items()}
        for name, what, bare in (
            ("show", "shown", "bare"),
            ("send", "sent as a form", "bare_sent"),
            ("save", "a choice saved by script", "bare_sent"),
        ):
            yield figure(
                f"a page of {part}, {what}",
                counted[name],
                unit="ms CPU",
                scale=1_000,
                yardstick="a bare view",
                yardsticks=counted[bare],
                at_most=MOST,
                note=f"{len(paging.questions)} questions",
            )


if __name__ == "__main__":
    told(measured())
