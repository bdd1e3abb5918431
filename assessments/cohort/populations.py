"""Imaginary people whose true scores are known, of four kinds, to try what a report claims on.

A population is a distribution of readiness and a model of how somebody so ready answers. The first
is that of :mod:`assessments.cohort.simulation`. The others have another shape on purpose, so that
what is found does not rest on our own model:

- ``graded``: readiness with a long tail of very ready people (log-normal), and a graded response
  model (Samejima 1969, doi:10.1007/BF03372160) with steep scenarios;
- ``mixture``: two crowds, three in five unprepared and two in five ready; who does not know the
  best option guesses among all (three-parameter logistic model, Birnbaum 1968), so that answers
  are nearly right or wrong, which makes errors of measurement as great as they can be;
- ``local``: the first model, but each person is better or worse than their readiness in each
  sub-competency (testlet effects, Bradlow, Wainer & Wang 1999, doi:10.1007/BF02294533), so that the
  answers of one sub-competency resemble each other more than readiness explains.

**True score.** The scenarios of a form are fixed: a person's true score on it is the credit that
their readiness lets one expect on these very scenarios, averaged as the score is, were they asked
afresh time and again. It is computed from the model, not from answers. What a person is better or
worse at in one sub-competency counts as error, not as readiness.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from assessments.cohort import simulation
from assessments.cohort.simulation import DOMAINS_ALIKE, Bytes, Floats, normal_of
from assessments.instrument.document import Instrument, Scenario
from assessments.scoring.sheet import DONT_KNOW_BYTE, layout

LOCAL = 0.7
"""Standard deviation of a person's own strength in a sub-competency; readiness has 1."""
DONT_KNOW_SHARE = 0.1
"""Of those who would be wrong, how many say "I don't know" under ``graded``."""
WIDEST = 6.0
"""How far from the mean a :func:`spread` crowd goes, in standard deviations."""

type Model = Callable[[Scenario, Floats], Floats]
"""Readiness ``[n]`` to the probabilities ``[n, options + 1]`` of the options, then of "I don't
know"."""


@dataclass(frozen=True, slots=True)
class Population:
    code: str
    readiness: Callable[[Instrument, int, np.random.Generator], Floats]
    """``[n, domains]``."""
    model: Model
    local: float = 0.0
    skipped: float = 0.0
    """Share of scenarios left unanswered."""


def answered(
    population: Population,
    instrument: Instrument,
    form: str,
    readiness: Floats,
    rng: np.random.Generator,
    skipped: float | None = None,
) -> Bytes:
    """What each chooses, ``[n, scenarios]``, as bytes of a packed sheet."""
    n = len(readiness)
    subs = [sub.code for sub in instrument.sub_competencies]
    own = population.local * rng.normal(size=(n, len(subs)))
    scenarios = instrument.scenarios_of(form)
    found = np.empty((n, len(scenarios)), dtype=np.uint8)
    for column, scenario in enumerate(scenarios):
        ready = readiness[:, _domain(instrument, scenario)]
        odds = population.model(scenario, ready + own[:, subs.index(scenario.sub_competency)])
        place = (rng.random((n, 1)) > odds.cumsum(axis=1)[:, :-1]).sum(axis=1)
        codes = [*range(1, len(scenario.options) + 1), DONT_KNOW_BYTE]
        found[:, column] = np.array(codes, dtype=np.uint8)[place]
    found[rng.random(found.shape) < (population.skipped if skipped is None else skipped)] = 0
    return found


def expected(
    population: Population,
    instrument: Instrument,
    form: str,
    readiness: Floats,
    worth: Callable[[Scenario], Sequence[float]],
) -> Floats:
    """What each may expect of each scenario, ``[n, scenarios]``; ``worth`` says what its options,
    then "I don't know", are worth."""
    scenarios = instrument.scenarios_of(form)
    found = np.empty((len(readiness), len(scenarios)))
    nodes, weights = _normal_nodes() if population.local else (np.zeros(1), np.ones(1))
    for column, scenario in enumerate(scenarios):
        ready = readiness[:, _domain(instrument, scenario)]
        values = np.array(worth(scenario))
        found[:, column] = sum(
            weight * (population.model(scenario, ready + population.local * node) @ values)
            for node, weight in zip(nodes, weights, strict=True)
        )
    return found


def credit(scenario: Scenario) -> list[float]:
    """What the options, then "I don't know", earn."""
    return [*(option.credit for option in scenario.options), 0.0]


def spread(instrument: Instrument, n: int, rng: np.random.Generator) -> Floats:
    """A crowd evenly spread from the least to the most ready, to look at every true score."""
    shared = rng.uniform(-WIDEST, WIDEST, size=(n, 1))
    return shared + math.sqrt(1 - DOMAINS_ALIKE) * rng.normal(size=(n, len(instrument.domains)))


def sheets(
    instrument: Instrument, form: str, chosen: Bytes, confidence: Bytes | None = None
) -> Bytes:
    """Packed sheets, ``[n, size]``, that hold these answers and nothing else."""
    places = layout(instrument, form)
    packed = np.zeros((len(chosen), places.size), dtype=np.uint8)
    for column, scenario in enumerate(instrument.scenarios_of(form)):
        packed[:, places.offset("option", scenario.code)] = chosen[:, column]
        if confidence is not None:
            packed[:, places.offset("confidence", scenario.code)] = confidence[:, column]
    return packed


def _domain(instrument: Instrument, scenario: Scenario) -> int:
    code = instrument.domain_of(scenario.sub_competency)
    return [domain.code for domain in instrument.domains].index(code)


@cache
def _normal_nodes() -> tuple[Floats, Floats]:
    """Points and weights that average a smooth function over a standard normal variable."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    return nodes, weights / weights.sum()


# --- Readiness ------------------------------------------------------------------------------------


def _as_simulated(instrument: Instrument, n: int, rng: np.random.Generator) -> Floats:
    return simulation.draw(instrument, n, rng).readiness


def _normal(instrument: Instrument, n: int, rng: np.random.Generator) -> Floats:
    shared, own = rng.normal(size=(n, 1)), rng.normal(size=(n, len(instrument.domains)))
    found: Floats = math.sqrt(DOMAINS_ALIKE) * shared + math.sqrt(1 - DOMAINS_ALIKE) * own
    return found


def _long_tailed(instrument: Instrument, n: int, rng: np.random.Generator) -> Floats:
    sigma = 0.6
    grown = math.exp(sigma**2)
    mean, sd = math.sqrt(grown), math.sqrt((grown - 1) * grown)
    return (np.exp(sigma * _normal(instrument, n, rng)) - mean) / sd


def _two_crowds(instrument: Instrument, n: int, rng: np.random.Generator) -> Floats:
    crowd = np.where(rng.random((n, 1)) < 0.6, -1.0, 1.3)
    return crowd + 0.5 * _normal(instrument, n, rng)


# --- Answers --------------------------------------------------------------------------------------


def _nominal(scenario: Scenario, readiness: Floats) -> Floats:
    slopes, intercepts = simulation.categories(scenario)
    logits = readiness[:, None] * slopes + intercepts
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: Floats = odds / odds.sum(axis=1, keepdims=True)
    return found


def _graded(scenario: Scenario, readiness: Floats) -> Floats:
    steep = 1.3 * math.exp(0.3 * normal_of(f"{scenario.code} steep"))
    hard = 0.1 + 0.7 * normal_of(f"{scenario.code} hard")
    best = _logistic(steep * (readiness - hard))
    credits = [option.credit for option in scenario.options]
    halves = sum(0 < earned < 1 for earned in credits)
    some = _logistic(steep * (readiness - hard + 1.2)) if halves else best
    wrong = (1 - some) * (1 - DONT_KNOW_SHARE) / sum(earned == 0 for earned in credits)
    columns = [
        best if earned == 1 else wrong if earned == 0 else (some - best) / halves
        for earned in credits
    ]
    return np.column_stack([*columns, (1 - some) * DONT_KNOW_SHARE])


def _guessed(scenario: Scenario, readiness: Floats) -> Floats:
    steep = 2.0 * math.exp(0.3 * normal_of(f"{scenario.code} sharp"))
    knows = _logistic(steep * (readiness - 0.6 * normal_of(f"{scenario.code} known")))
    guess = (1 - knows) / len(scenario.options)
    columns = [guess + knows * (option == scenario.best) for option in scenario.options]
    return np.column_stack([*columns, np.zeros(len(readiness))])


def _logistic(logit: Floats) -> NDArray[np.float64]:
    return 0.5 * (1.0 + np.tanh(logit / 2))


NOMINAL = Population("nominal", _as_simulated, _nominal, skipped=simulation.SKIPPED)
POPULATIONS = (
    NOMINAL,
    Population("graded", _long_tailed, _graded),
    Population("mixture", _two_crowds, _guessed),
    Population("local", _normal, _nominal, local=LOCAL),
)
