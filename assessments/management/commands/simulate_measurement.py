"""Try every claim of the report on simulated people whose true readiness is known.

Nothing is read from the database or written to it. The same instrument, number of people and seed
give the same figures. What the figures mean: seeds/ai-readiness/MEASUREMENT.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from assessments import measured
from assessments.cohort import measurement
from assessments.cohort.measurement import Figure
from assessments.instrument.document import Instrument
from assessments.instrument.loading import InstrumentError, load
from assessments.measured import Measured

from .demo import SEEDS

LEAST = 2_000
PEOPLE = 20_000
SEED = 2026


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        add = parser.add_argument
        add("--people", type=int, default=PEOPLE, help="for each figure (default: %(default)s)")
        add("--seed", type=int, default=SEED, help="a whole number (default: %(default)s)")
        add("--form", action="append", help="this form only; may be given again (default: all)")
        add("--format", choices=("text", "json"), default="text")
        add("--path", type=Path, default=SEEDS, help="folder of an instrument")
        add(
            "--write",
            action="store_true",
            help="keep the figures in measurement.json and MEASUREMENT.md of the folder",
        )

    def handle(self, *args, **options) -> None:
        people, seed, path = options["people"], options["seed"], options["path"]
        if people < LEAST:
            raise CommandError(f"--people {people}: at least {LEAST:,}.")
        if seed < 0:
            raise CommandError(f"--seed {seed}: a seed is 0 or more.")
        try:
            instrument = load(path)
        except InstrumentError as refused:
            raise CommandError(f"{path} is refused: see load_instrument.") from refused
        forms = tuple(options["form"] or instrument.forms)
        for form in forms:
            if form not in instrument.forms:
                raise CommandError(f"--form {form}: the forms are {', '.join(instrument.forms)}.")
        if options["write"] and forms != instrument.forms:
            raise CommandError("--write: all forms are kept, or none.")
        found = Measured(
            version=instrument.version,
            bearing=measurement.bearing(instrument),
            people=people,
            seed=seed,
            figures=tuple(self._figures(instrument, forms, people, seed)),
        )
        if options["write"]:
            self._write(path, found)
        elif options["format"] == "json":
            self.stdout.write(measured.written(found), ending="")
        else:
            self.stdout.write(measured.tables(found))
        broken = found.broken
        for figure in broken:
            self.stderr.write(f"does not hold: {_told(figure)}")
        if broken:
            raise CommandError(f"{len(broken)} figures are not as the report says.")

    def _figures(
        self, instrument: Instrument, forms: tuple[str, ...], people: int, seed: int
    ) -> list[Figure]:
        figures: list[Figure] = []
        for form in forms:
            # Of a form, the same people whichever others are asked for.
            rng = np.random.default_rng([seed, instrument.forms.index(form)])
            for part in measurement.measure(instrument, form, people, rng):
                figures += map(measured.rounded, part)
                self.stderr.write(
                    f"{form} {part[0].population} {part[0].calibrated_on or 'before calibration'}"
                )
        return figures

    def _write(self, path: Path, found: Measured) -> None:
        document = path / "MEASUREMENT.md"
        text = measured.inserted(document.read_text(encoding="utf-8"), measured.tables(found))
        document.write_text(text, encoding="utf-8")
        (path / "measurement.json").write_text(measured.written(found), encoding="utf-8")
        self.stdout.write(f"Written: {document}, {path / 'measurement.json'}")


def _told(figure: Figure) -> str:
    group = f" {figure.group}" if figure.group else ""
    return (
        f"{figure.form} {figure.population}, calibrated on {figure.calibrated_on}: "
        f"{figure.claim} {figure.scale}{group} {figure.value:.4f} ± {figure.error:.4f}"
    )
