"""What one completed sitting takes of the server's processor, beside two survey packages on the
same server and database. The client's time does not count, nor what PostgreSQL takes of its own."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from .measuring import Figure, figure, growth, printed, told
from .serving import (
    Databases,
    Server,
    installed,
    of_rival,
    our_environment,
    ours,
    prepare,
    rival,
    stored,
)
from .walking import Visitor, over_http, sit, sit_elsewhere

ROUNDS, EACH = 7, 3
"""Rounds that count, and the completions of each contender in one."""
BEFORE = 20
"""Completions before the first round: a server is measured that has served for a while."""
SIZES = (100, 1_000, 10_000)
"""Finished sittings that are stored when the measure begins."""
USUAL = SIZES[1]
RIVALS = {
    "djf_surveys": ("django-form-surveys", 1 / 3),
    "survey": ("django-survey-and-report", 1 / 6),
}
"""By the name of their module: of their package, and the share of their time that ours may take."""


@dataclass
class Contender:
    server: Server
    complete: Callable[[Visitor], int]
    """How many questions were answered."""
    chance: random.Random
    spent: list[float]
    completions: int = 0
    answers: int = 0
    requests: int = 0
    """Of the last completion."""
    questions: int = 0
    """As many."""

    def work(self) -> None:
        began = self.server.spent()
        for _number in range(EACH):
            visitor = Visitor(over_http(self.server.port), self.chance)
            self.questions = self.complete(visitor)
            self.requests = len(visitor.seen)
            self.completions += 1
            self.answers += self.questions
        self.spent.append((self.server.spent() - began) / EACH)

    @property
    def told(self) -> str:
        return f"{self.requests} requests, {self.questions} answers"


def contender(server: Server, complete: Callable[[Visitor], int], seed: int) -> Contender:
    return Contender(server, complete, random.Random(seed), [])


def by_script(visitor: Visitor) -> int:
    return sit(visitor, by_script=True)


def bare(visitor: Visitor, requests: int) -> int:
    """As many requests as a sitting has, of a view that does nothing; no question is answered."""
    for _number in range(requests):
        if visitor.ask("GET", "/bare/").status != 200:
            raise RuntimeError("the bare view is not shown")
    return 0


def measured(folder: Path, cluster: str) -> Iterator[Figure]:
    kind = "PostgreSQL" if cluster else "SQLite"
    databases = Databases(folder, cluster)
    with ExitStack() as stack:
        stack.callback(databases.drop)
        environment = our_environment(folder, databases.new("ours"))
        prepare(environment)
        first = ours(environment)
        try:
            for seed in range(EACH):
                visitor = Visitor(over_http(first.port), random.Random(seed))
                sit(visitor)
        finally:
            first.stop()
        requests = len(visitor.seen)
        began, contenders = {}, {}
        for size in SIZES:
            name = f"ours at {size}"
            environment = our_environment(folder, databases.new(f"ours_{size}", like="ours"))
            stored(environment, "fill", str(size))
            began[name] = environment, stored(environment, "count")
            server = ours(environment)
            stack.callback(server.stop)
            contenders[name] = contender(server, sit, size)
            if size == USUAL:
                contenders["ours by script"] = contender(server, by_script, size + 1)
                door = stored(environment, "group")["door"]
                in_group = partial(sit, door=door)
                contenders["ours in a group"] = contender(server, in_group, size + 2)
        server = ours(environment | {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.bare_settings"})
        stack.callback(server.stop)
        contenders["bare"] = contender(server, lambda visitor: bare(visitor, requests), 0)
        environments, prepared = {}, {}
        for module in RIVALS:
            environments[module] = {
                "BENCH_RIVAL": module, "BENCH_DATABASE": databases.new(module),
            }  # fmt: skip
            if not installed(module):
                continue
            prepared[module] = of_rival(environments[module], "prepare")
            door = prepared[module]["door"]
            server = rival(environments[module])
            stack.callback(server.stop)
            contenders[module] = contender(
                server, lambda visitor, door=door: sit_elsewhere(visitor, door), 1
            )
        for each in contenders.values():
            each.server.settle()
            while each.completions < BEFORE:
                each.work()
            each.spent.clear()
        for number in range(ROUNDS):
            # In turn from another end, so that nobody always follows the same one.
            order = list(contenders.values())
            for each in order if number % 2 else reversed(order):
                each.work()
        check(contenders, began, environments)

    for name, what in (
        (f"ours at {USUAL}", "by forms"),
        ("ours in a group", "by forms, in a group"),
        ("ours by script", "by script"),
    ):
        own = contenders[name]
        for module, (package, most) in RIVALS.items():
            other = contenders.get(module)
            yield figure(
                f"a sitting {what}, {kind}, beside {package}",
                own.spent,
                unit="ms CPU",
                scale=1_000,
                yardstick=package,
                yardsticks=other.spent if other else None,
                at_most=most,
                note=f"{own.told}; {package}: {other.told}" if other
                else f"{own.told}; {package} is not installed here",
                versions=prepared[module]["versions"] if other else None,
            )  # fmt: skip
    yield printed(
        f"as many requests of a bare view, {kind}",
        [1_000 * seconds for seconds in contenders["bare"].spent],
        unit="ms CPU",
        note=f"{requests} requests behind our middleware: what no sitting of as many can go below",
    )
    yield growth(
        f"a sitting by forms, {kind}, by finished sittings stored",
        SIZES,
        [1_000 * median(contenders[f"ours at {size}"].spent) for size in SIZES],
        unit="ms CPU",
        most=0.1,
    )


def check(contenders, began, environments) -> None:
    """Every answer that was given is stored, and every completion is complete."""
    for name, (environment, before) in began.items():
        after = stored(environment, "count")
        on_it = [each for each in contenders.values() if each.server is contenders[name].server]
        for what, given in (
            ("finished", sum(each.completions for each in on_it)),
            ("answers", sum(each.answers for each in on_it)),
        ):
            if after[what] - before[what] != given:
                raise RuntimeError(f"{name}: {given} {what} were given, {before} became {after}")
    for module, environment in environments.items():
        if module in contenders:
            each, found = contenders[module], of_rival(environment, "count")
            if found != {"finished": each.completions, "answers": 45 * each.completions}:
                raise RuntimeError(f"{module}: {found}, not {each.completions} complete")


def main() -> None:
    for cluster in filter(None, ("files", os.environ.get("DATABASE_URL"))):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            told(measured(Path(folder), "" if cluster == "files" else cluster))


if __name__ == "__main__":
    main()
