"""Calibrate the forms of a version on the real people who have answered them.

Estimates, from at least 200 complete sittings of a form, its reliability (alpha, omega, standard
error of measurement), item statistics, a partial credit model with item fit and targeting, and
differential item functioning by language and profession; shows them, rounded; and publishes them
as a calibration, on which reports then rest. Sittings of simulated cohorts never count. Nothing is
published where an estimate cannot be had. A form is calibrated again once at least 100 people, and
a fifth of those of the last time, have finished since.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
from django.core.management.base import BaseCommand, CommandError

from assessments import calibrations
from assessments.cohort.dif import GROUP_MIN
from assessments.cohort.psychometrics import N_MIN, Unsaid
from assessments.cohort.quality import STEP, Quality, Unsound, remarks
from assessments.instrument.document import by_code, form_label
from assessments.instruments import (
    AlreadyCalibrated,
    current,
    instrument_of,
    keep_calibration,
)
from assessments.models import InstrumentVersion
from assessments.scoring.scores import OVERALL

WHY = {
    Unsaid.TOO_FEW_SHEETS: "too few people",
    Unsaid.TOO_FEW_ITEMS: "too few situations for it",
    Unsaid.NO_VARIANCE: "everybody earns the same on it, or on one of its situations",
    Unsaid.IMPROPER: (
        "the best one-factor model is improper (a situation keeps no error of its own, or some "
        "determine another)"
    ),
    Unsaid.NOT_CONVERGED: "the model does not converge",
}
"""Why there is no estimate, in an operator's words."""


class Command(BaseCommand):
    help = __doc__

    def create_parser(self, prog_name, subcommand, **kwargs):
        # Of Django's own options, --version would tell Django's; here it names the questionnaire's.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser) -> None:
        add = parser.add_argument
        add("--version", help='such as "1.2", or "ai-readiness 1.2" (default: the one served)')
        add("--form", help="such as A (default: each that has been answered)")
        add("--dry-run", action="store_true", help="show what would be published, publish nothing")
        add("--format", choices=("text", "json"), default="text", help="(default: %(default)s)")

    def handle(self, *args, **options) -> None:
        version = _version(options["version"])
        answered = calibrations.forms(version)
        wanted = [options["form"]] if options["form"] else answered
        known = {*instrument_of(version.digest).forms, *answered}
        if unknown := set(wanted) - known:
            raise CommandError(
                f"--form {', '.join(unknown)}: {version} has {', '.join(sorted(known))}."
            )
        if not wanted:
            raise CommandError(f"{version}: nobody has finished it yet; nothing is published.")
        told = [self._calibrate(version, form, options["dry_run"]) for form in wanted]
        if options["format"] == "json":
            self.stdout.write(json.dumps({"calibrations": told}, ensure_ascii=False, indent=2))
        else:
            for each in told:
                for line in _lines(version, each):
                    self.stdout.write(line)
        if all(each["state"] == "refused" for each in told):
            raise CommandError("Nothing is published.")

    def _calibrate(self, version: InstrumentVersion, form: str, dry_run: bool) -> dict:
        """What became of a form; JSON values only."""
        gathered = calibrations.gather(version, form)
        told = {
            "version": str(version),
            "form": form,
            "state": "refused",
            "reason": None,
            "left_out": {
                "incomplete": gathered.incomplete // STEP * STEP,
                "repeated": gathered.repeated // STEP * STEP,
            },
            "quality": None,
        }
        try:
            found = calibrations.measure(version, form, gathered)
            if not dry_run:
                keep_calibration(version, found)
        except calibrations.TooFew:
            told["reason"] = f"it needs {N_MIN} complete sittings of real people, and has fewer"
        except calibrations.TooSoon as refused:
            told["reason"] = (
                f"it was calibrated on {refused.last.made_on}; again once {refused.needed} more "
                "people have finished"
            )
        except Unsound as refused:
            told["reason"] = "; ".join(
                f"{_scale(problem.scale)}: {WHY[problem.reason]}" for problem in refused.problems
            )
        except AlreadyCalibrated:
            told["reason"] = "it has just been calibrated"
        else:
            told |= {
                "state": "dry run" if dry_run else "published",
                "quality": msgspec.to_builtins(found),
            }
        return told


def _version(wanted: str | None) -> InstrumentVersion:
    if wanted is None:
        if (served := current()) is None:
            raise CommandError("No version of a questionnaire is published.")
        return served
    code, _space, number = wanted.rpartition(" ")
    named = InstrumentVersion.objects.defer("document").filter(version=number)
    found = list(named.filter(code=code) if code else named)
    if not found:
        raise CommandError(f"--version {wanted}: no such version is published.")
    if len(found) > 1:
        names = ", ".join(f'"{each}"' for each in found)
        raise CommandError(f"--version {wanted}: which of {names}?")
    return found[0]


def _scale(code: str | None) -> str:
    return {None: "partial credit model", OVERALL: "the whole"}.get(code, f"domain {code}")


def _lines(version: InstrumentVersion, told: dict) -> Iterator[str]:
    """What became of a form, to be read."""
    yield f"\n{version}, form {form_label(told['form'])}"
    left = told["left_out"]
    yield (
        f"  left out, about: {left['incomplete']} with a situation unanswered, "
        f"{left['repeated']} who had answered it before"
    )
    if told["quality"] is None:
        yield f"  not calibrated: {told['reason']}."
        return
    found = msgspec.convert(told["quality"], Quality)
    yield f"  {told['state']}: at least {found.n} people, {found.made_on}"
    yield (
        f"\n  {'scale':<10}{'mean':>6}{'SD':>6}  {'alpha (95 %)':<20}{'omega (95 %)':<20}{'SEM':>5}"
    )
    for scale in found.scales:
        alpha, omega = (
            f"{each.value:.2f} ({each.lower:.2f} to {each.upper:.2f})"
            for each in (scale.alpha, scale.omega)
        )
        yield (
            f"  {scale.code:<10}{scale.mean:>6.1f}{scale.sd:>6.1f}  {alpha:<20}{omega:<20}"
            f"{scale.sem:>5.1f}"
        )
    yield (
        f"\n  {'situation':<12}{'mean':>5}{'rest':>6}{'upper-lower':>13}{'location':>10}"
        f"{'infit (t)':>13}{'outfit (t)':>13}  thresholds; to look at"
    )
    scenarios = by_code(instrument_of(version.digest).scenarios)
    for item in found.items:
        thresholds = ", ".join(f"{each.at:+.2f}" for each in item.thresholds)
        notes = [str(remark) for remark in remarks(found, item, scenarios[item.code])]
        infit, outfit = (f"{each.square:.2f} ({each.t:+.1f})" for each in (item.infit, item.outfit))
        yield (
            f"  {item.code:<12}{item.difficulty:>5.2f}{item.item_rest:>6.2f}"
            f"{item.discrimination:>13.2f}{item.location:>+10.2f}{infit:>13}{outfit:>13}  "
            + "; ".join([thresholds, *notes])
        )
    place = found.map
    yield (
        f"\n  people: mean {place.mean:+.2f}, SD {place.sd:.2f} logits (situations: mean 0, "
        f"SD {place.items_sd:.2f}); reliability {place.reliability:.2f}"
    )
    yield f"  beyond the hardest threshold {place.beyond:.0%}, below the easiest {place.below:.0%}"
    for comparison in found.comparisons:
        differing = [each for each in comparison.items if each.size in ("moderate", "large")]
        yield (
            f"  {comparison.attribute}, {comparison.focal} against {comparison.reference}: "
            + (
                "too few situations alike to compare on"
                if not comparison.items
                else ", ".join(f"{each.code} {each.size} ({each.gap:+.2f})" for each in differing)
                or "no situation differs"
            )
        )
    if not found.comparisons:
        yield f"  no two languages or professions have {GROUP_MIN} people each: not compared"
