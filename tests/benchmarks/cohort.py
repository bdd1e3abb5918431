"""The results page of a cohort, which is made from its release: what it costs does not depend on
how many people have finished.

Every release is counted and noised by the product from as many sheets as it tells of, and every
sheet is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import fmean, median

from . import crowds
from .measuring import Figure, figure, growth, times, told

# isort: split
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from assessments import releases
from assessments.admin.phase_pages import RESULTS
from assessments.models import Phase, Sitting

SIZES = (30, 1_000, 100_000, 1_000_000)
ROUNDS = 15
APART = 0.2
"""As far as a size may be from the mean of the others."""


def main() -> Iterator[Figure]:
    trainer = crowds.service()
    call_command("collectstatic", interactive=False, verbosity=0)
    phases = {size: crowds.phase_of(trainer, f"{size} people") for size in SIZES}
    for size, phase in phases.items():
        crowds.store(phase, size, seed=size)
        publish(phase)
        assert Sitting.objects.filter(phase=phase, released=True).count() == size
    client = Client(SERVER_NAME="localhost", headers={"accept-language": "en"})
    client.force_login(trainer)
    taken = times({str(size): page(client, phases[size]) for size in SIZES}, ROUNDS)
    for size in SIZES:
        others = (each for other, each in taken.items() if other != str(size))
        means = [fmean(each) for each in zip(*others, strict=True)]
        yield alike(f"results page of {size:,} people", taken[str(size)], means)
    usual = [1000 * median(values) for values in taken.values()]
    yield growth("results page of a cohort", SIZES, usual, unit="ms", most=0.02)


def publish(phase: Phase) -> None:
    releases.close(phase, None)
    if phase.settled_on is None:
        releases.settle(phase.pk)


def page(client: Client, phase: Phase) -> Callable[[], None]:
    """Asks for the page, and sees that it is the one, and whole."""
    address = reverse(f"admin:{RESULTS}", args=(phase.cohort_id, phase.pk))
    (release,) = releases.published(phase)
    said = f"At least {release.at_least:,} people have finished"

    def ask() -> None:
        answered = client.get(address)
        assert answered.status_code == 200, answered.status_code
        text = answered.content.decode()
        assert said in text, said
        assert text.count("<svg") > 10

    return ask


def alike(name: str, values: Sequence[float], means: Sequence[float]) -> Figure:
    """Held against the mean of the other sizes in the same round, from below as from above."""
    found = figure(
        name, values, unit="ms", scale=1000, yardstick="mean of the other three", yardsticks=means,
        note=f"{connection.vendor}, all middleware",
    )  # fmt: skip
    assert found.ratio is not None
    return replace(found, target=f"1 ± {APART:.0%}", met=abs(found.ratio - 1) <= APART)


if __name__ == "__main__":
    told(main())
