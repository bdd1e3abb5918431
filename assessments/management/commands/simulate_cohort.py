"""Make a cohort of simulated people, marked as such everywhere, with a known truth.

For demonstrations, tests and load. The same size and seed give the same answers; keys, codes and
the noise of what is published are the system's own randomness, which no seed reaches.
"""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TextIO

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse
from django.utils import translation

from assessments import releases, simulated_cohorts, simulated_truth
from assessments.admin.phase_pages import RESULTS
from assessments.demonstration import USERNAME, demonstration_trainer
from assessments.instruments import current, instrument_of
from assessments.models import Cohort, Phase
from assessments.simulated_cohorts import Kept, Moment
from assessments.simulated_truth import Truth

from .demo import SEEDS


class Command(BaseCommand):
    help = __doc__

    def create_parser(self, prog_name, subcommand, **kwargs):
        return super().create_parser(
            prog_name,
            subcommand,
            epilog=f"What --truth writes. {simulated_truth.__doc__}",
            formatter_class=RawDescriptionHelpFormatter,
            **kwargs,
        )

    def add_arguments(self, parser) -> None:
        add = parser.add_argument
        add("--size", type=int, required=True, help="people who finish the first moment")
        add("--seed", type=int, required=True, help="a whole number, 0 or more")
        add("--name", required=True, help="name of the cohort, kept as given")
        add("--truth", type=Path, metavar="FILE", help="write every simulated sheet there, as CSV")
        add(
            "--trainer",
            metavar="USERNAME",
            help=f"whose cohort it is (default: {USERNAME}, made if needed)",
        )
        add(
            "--moments",
            default="before,after",
            help="of before, after, follow-up, separated by commas (default: %(default)s)",
        )
        add("--open", action="store_true", help="leave the last moment open")
        add(
            "--breakdown",
            choices=Phase.Breakdown.values,
            default="",
            help="show results by class, where each is large enough",
        )
        add("--rolling", action="store_true", help="publish in blocks, as people finish")

    def handle(self, *args, **options) -> None:
        size, seed, name = options["size"], options["seed"], options["name"].strip()
        if size < 1:
            raise CommandError(f"--size {size}: a cohort has at least 1 person.")
        if seed < 0:
            raise CommandError(f"--seed {seed}: a seed is 0 or more.")
        longest = Cohort._meta.get_field("name").max_length or 0
        if not 0 < len(name) <= longest:
            raise CommandError(f"--name: 1 to {longest} characters, not {len(name)}.")
        kinds = _moments(options["moments"])
        if options["rolling"] and options["breakdown"]:
            raise CommandError("--rolling, --breakdown: a long-running phase has no breakdown.")
        _migrated()
        with ExitStack() as held:
            held.enter_context(translation.override(settings.LANGUAGE_CODE))
            # Opened before anything is made: what cannot be written is said first.
            file = held.enter_context(_opened(options["truth"])) if options["truth"] else None
            trainer = self._trainer(options["trainer"])
            if current() is None:
                call_command("load_instrument", SEEDS, stdout=self.stdout)
            phases = simulated_cohorts.planned(
                name,
                kinds,
                trainer,
                leave_open=options["open"],
                breakdown=options["breakdown"],
                rolling=options["rolling"],
            )
            self.stdout.write(f"Cohort, simulated: {name}")
            self.stdout.write(_address("assessments_cohort_change", phases[0].cohort_id))
            truth = _truth(file, phases) if file else None
            people = simulated_cohorts.everybody()
            for moment in simulated_cohorts.moments(phases, size, seed):
                simulated_cohorts.keep(moment, people, partial(self._kept, truth, moment))
                if not (options["open"] and moment.phase is phases[-1]):
                    self._close(moment.phase, trainer)
                self._tell(moment)
        if options["truth"]:
            self.stdout.write(f"Every simulated sheet: {options['truth'].resolve()}")

    def _trainer(self, name: str | None) -> User:
        if name is None and settings.HTTPS:
            raise CommandError("--trainer NAME is needed: no account is made on a public address.")
        if name is None:
            made, password = demonstration_trainer()
            if not (made.is_active and made.is_staff):
                raise CommandError(f"{USERNAME} is no trainer here: name one with --trainer.")
            if password:
                self.stdout.write(
                    f"Trainer {USERNAME}, password {password} (demonstration only, shown once)"
                )
            return made
        named = get_user_model().objects.filter(username=name, is_active=True, is_staff=True)
        if (trainer := named.first()) is None:
            raise CommandError(f"--trainer {name}: nobody of that name is a trainer here.")
        return trainer

    def _kept(self, truth: Truth | None, moment: Moment, kept: Kept) -> None:
        if truth is not None:
            truth.write(moment, kept)
        self._progress(moment.phase, "answered", kept.rows.stop / len(moment))

    def _close(self, phase: Phase, trainer: User) -> None:
        releases.close(phase, trainer)
        if phase.settled_on is None:
            releases.settle(phase.pk, lambda done: self._progress(phase, "published", done))

    def _tell(self, moment: Moment) -> None:
        phase = moment.phase
        at_least = sum(release.at_least for release in releases.published(phase))
        if at_least:
            said = "published: " + _address(RESULTS, phase.cohort_id, phase.pk)
        elif phase.closed_on is None:
            said = "open, nothing published yet"
        else:
            said = f"nothing is published of fewer than {releases.threshold()}"
        self.stdout.write(f"{phase.kind}: {len(moment)} people, {said}")

    def _progress(self, phase: Phase, what: str, done: float) -> None:
        if self.stderr.isatty():
            end = "\n" if done >= 1 else ""
            self.stderr.write(f"\r{phase.kind:<10} {done:>4.0%} {what} ", ending=end)


def _moments(wanted: str) -> list[str]:
    """Kinds of phases, in their order."""
    kinds = [kind.strip() for kind in wanted.split(",") if kind.strip()]
    known = list(Phase.Kind.values)
    if not kinds or len(set(kinds)) != len(kinds) or not set(kinds) <= set(known):
        raise CommandError(f"--moments {wanted}: one or more of {', '.join(known)}, each once.")
    return sorted(kinds, key=known.index)


def _migrated() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("The database is not up to date: run manage.py migrate first.")


def _opened(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as refused:
        raise CommandError(f"--truth {path}: {refused.strerror}.") from None


def _truth(file: TextIO, phases: Sequence[Phase]) -> Truth:
    instrument = instrument_of(phases[0].version.digest)
    return Truth(file, instrument, [phase.form for phase in phases])


def _address(page: str, *keys: int) -> str:
    return settings.PUBLIC_ADDRESS + reverse(f"admin:{page}", args=keys)
