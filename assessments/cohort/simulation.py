"""Imaginary people who answer a form, for demonstrations, tests and load: never for a result.

Each person has a readiness in each domain, of mean 0 and standard deviation 1 in an untrained
population, and chooses between the options of a scenario by a nominal response model (Bock 1972,
doi:10.1007/BF02291411): P(option) ∝ exp(slope·readiness + intercept). The slopes rise with the
credit of the option as in the generalized partial credit model (Muraki 1992,
doi:10.1177/014662169201600206), so that readier people earn more; "I don't know" is one more
category. What a scenario is like follows from its code alone: it is the same in every simulation.

Self-ratings hardly follow readiness, as is published (r = .29, Zell & Krizan 2014,
doi:10.1177/1745691613518075). Confidence follows readiness and being right, and a trait of its own.
The other constants are plausible, and nothing more.

Every function draws from the generator that it is given, in a fixed order: same generator, same
people.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from assessments.instrument.document import ContextQuestion, Instrument, Scenario
from assessments.scoring.sheet import DONT_KNOW_BYTE, Layout, layout

DOMAINS_ALIKE = 0.8
"""Correlation of one person's readiness in two domains."""
CLASSES_APART = 0.3
"""How far the mean of a profession in a domain is, at most, from that of all."""
SELF_RATING_LOADING = 0.45
"""Correlation of how people see themselves with their readiness; with their results, which
measure it with error, about .29."""
RATINGS_ALIKE = 0.3
"""Correlation of two ratings by one person."""
ASSURANCE = 0.5
"""Standard deviation, between people equally ready, of how sure they say they are."""
LEARNING = 0.3
"""Standard deviation of what a training changes, between people."""
CAUTION = 0.3
"""What a training of a gain of 1 takes from how sure people are, as much right."""

SKIPPED, NO_CONFIDENCE, NOT_RATED, NOT_SAID = 0.015, 0.03, 0.02, 0.06
"""Shares left unanswered: scenarios, confidences, self-ratings, questions of context."""
MAIN_LANGUAGE = 0.92
"""Share who answer in the instrument's first language."""

PROFESSION, REPEAT, FIRST, AGAIN = "profession", "repeat", "first", "again"
NONE = "none"
"""The option of a question of several answers that excludes the others."""
WEIGHTS: Mapping[str, Mapping[str, float]] = {
    PROFESSION: {
        "physician": 0.25,
        "nurse": 0.33,
        "pharmacist": 0.06,
        "physiotherapist": 0.06,
        "midwife": 0.04,
        "radiographer": 0.05,
        "other_clinician": 0.09,
        "student": 0.05,
        "manager": 0.07,
    },
    "setting": {
        "hospital": 0.55,
        "private_practice": 0.18,
        "nursing_home": 0.10,
        "home_care": 0.06,
        "imaging_or_lab": 0.06,
        "other": 0.05,
    },
    "tools": {
        "imaging": 0.15,
        "alert": 0.08,
        "triage": 0.04,
        "decision": 0.12,
        "scribe": 0.12,
        "chatbot": 0.35,
        "other": 0.05,
    },
    REPEAT: {FIRST: 0.93, AGAIN: 0.07},
}
"""How often the options of the context questions are chosen; one not told, as often as
:data:`UNTOLD`."""
UNTOLD = 0.2

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Whole = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class People:
    """``n`` people, a row each in every array."""

    readiness: Floats
    """``[n, domains]``, in standard deviations of an untrained population."""
    assurance: Floats
    """``[n]``: how sure they are, beside what their readiness and being right make of it."""
    self_regard: Floats
    """``[n]``: how they see themselves, beside what their readiness makes of it."""
    context: Bytes
    """``[n, questions]``: their context, as it stands in a packed sheet."""
    language: Whole
    """``[n]``: places in the instrument's languages."""

    def __len__(self) -> int:
        return len(self.readiness)

    def __getitem__(self, rows: slice | NDArray[np.integer]) -> People:
        return People(*(getattr(self, field.name)[rows] for field in fields(self)))

    def __add__(self, other: People) -> People:
        return People(
            *(
                np.concatenate([getattr(self, field.name), getattr(other, field.name)])
                for field in fields(self)
            )
        )


def draw(instrument: Instrument, n: int, rng: np.random.Generator, mean: float = 0.0) -> People:
    """``n`` people, of a mean readiness ``mean``."""
    shared, own = rng.normal(size=(n, 1)), rng.normal(size=(n, len(instrument.domains)))
    context = np.column_stack([_context(question, n, rng) for question in instrument.context])
    readiness = mean + math.sqrt(DOMAINS_ALIKE) * shared + math.sqrt(1 - DOMAINS_ALIKE) * own
    for place, question in enumerate(instrument.context):
        if question.code == PROFESSION:
            readiness += _apart(instrument, question)[context[:, place]]
    languages = len(instrument.languages)
    others = 1 + rng.integers(max(1, languages - 1), size=n)
    return People(
        readiness=readiness,
        assurance=rng.normal(0.0, ASSURANCE, size=n),
        self_regard=rng.normal(size=n),
        context=context,
        language=np.where((rng.random(n) < MAIN_LANGUAGE) | (languages == 1), 0, others),
    )


def trained(
    instrument: Instrument, people: People, gain: float, rng: np.random.Generator
) -> People:
    """The same people after a training: readier by ``gain`` on average, more in the first domains
    than in the last, and a little less sure of themselves."""
    domains = len(instrument.domains)
    learnt = gain * np.linspace(1.3, 0.7, domains) if domains > 1 else np.array([gain])
    return replace(
        people,
        readiness=people.readiness + learnt + rng.normal(0.0, LEARNING, (len(people), 1)),
        assurance=people.assurance - CAUTION * gain,
    )


def returning(instrument: Instrument, people: People) -> People:
    """The same people, who say now that they have answered before, if they say anything of it."""
    context = people.context.copy()
    for place, question in enumerate(instrument.context):
        codes = [option.code for option in question.options]
        if question.code == REPEAT and AGAIN in codes:
            context[context[:, place] > 0, place] = 1 + codes.index(AGAIN)
    return replace(people, context=context)


def answers(instrument: Instrument, form: str, people: People, rng: np.random.Generator) -> Bytes:
    """What they answer to a form: ``[n, size]``, a packed sheet a row."""
    n, places = len(people), layout(instrument, form)
    sheets = np.zeros((n, places.size), dtype=np.uint8)
    for place, question in enumerate(instrument.context):
        sheets[:, places.offset("context", question.code)] = people.context[:, place]
    domains = {domain.code: place for place, domain in enumerate(instrument.domains)}
    readiness = {
        sub.code: people.readiness[:, domains[sub.domain]] for sub in instrument.sub_competencies
    }
    for item in instrument.self_ratings:
        view = _mixed(SELF_RATING_LOADING, readiness[item.sub_competency], people.self_regard)
        latent = _mixed(math.sqrt(RATINGS_ALIKE), view, rng.normal(size=n))
        point = _category(latent + 0.4 * normal_of(item.code), len(instrument.self_rating_scale))
        point[rng.random(n) < NOT_RATED] = 0
        sheets[:, places.offset("self_rating", item.code)] = point
    for scenario in instrument.scenarios_of(form):
        _answer(
            instrument, places, scenario, readiness[scenario.sub_competency], people, sheets, rng
        )
    return sheets


def _answer(
    instrument: Instrument,
    places: Layout,
    scenario: Scenario,
    readiness: Floats,
    people: People,
    sheets: Bytes,
    rng: np.random.Generator,
) -> None:
    n, options = len(readiness), scenario.options
    slopes, intercepts = categories(scenario)
    # The greatest of logits with Gumbel's noise is drawn with the probabilities of the model.
    logits = readiness[:, None] * slopes + intercepts
    place = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    chosen = np.array([*range(1, len(options) + 1), DONT_KNOW_BYTE], dtype=np.uint8)[place]
    chosen[rng.random(n) < SKIPPED] = 0
    credit = np.array([*(option.credit for option in options), 0.0])[place]
    latent = -0.4 + 0.3 * readiness + 0.5 * credit + people.assurance + rng.normal(0.0, 0.7, size=n)
    confidence = _category(latent, len(instrument.confidence_scale))
    confidence[(chosen == 0) | (chosen == DONT_KNOW_BYTE)] = 0
    confidence[rng.random(n) < NO_CONFIDENCE] = 0
    sheets[:, places.offset("option", scenario.code)] = chosen
    sheets[:, places.offset("confidence", scenario.code)] = confidence


def categories(scenario: Scenario) -> tuple[Floats, Floats]:
    """Slope and intercept of each option, then of "I don't know"."""
    discrimination = 0.5 * np.exp(0.3 * normal_of(f"{scenario.code} discrimination"))
    difficulty = -1.2 + 0.8 * normal_of(f"{scenario.code} difficulty")
    credits = np.array([option.credit for option in scenario.options])
    appeal = [
        0.4 * normal_of(f"{scenario.code} {option.code}") - (0.4 if option.unsafe else 0.0)
        for option in scenario.options
    ]
    slopes = 2 * discrimination * credits
    return np.append(slopes, -discrimination), np.append(appeal - slopes * difficulty, -2.0)


def _context(question: ContextQuestion, n: int, rng: np.random.Generator) -> Bytes:
    codes = [option.code for option in question.options]
    told = WEIGHTS.get(question.code, {})
    weights = np.array([told.get(code, UNTOLD) for code in codes])
    said = rng.random(n) >= NOT_SAID
    if not question.multiple:
        drawn = 1 + rng.choice(len(codes), size=n, p=weights / weights.sum())
        return (drawn * said).astype(np.uint8)
    picked = rng.random((n, len(codes))) < weights
    if NONE in codes:
        alone = codes.index(NONE)
        picked[:, alone] = False
        picked[:, alone] = ~picked.any(axis=1)
    return (picked @ (1 << np.arange(len(codes))) * said).astype(np.uint8)


def _apart(instrument: Instrument, question: ContextQuestion) -> Floats:
    """What each byte of a context question adds to the readiness in each domain."""
    return np.array(
        [
            [0.0] * len(instrument.domains),
            *(
                [
                    CLASSES_APART * (2 * _uniform(f"{option.code} {domain.code}") - 1)
                    for domain in instrument.domains
                ]
                for option in question.options
            ),
        ]
    )


def _mixed(loading: float, one: Floats, other: Floats) -> Floats:
    """A variable correlated with ``one`` by ``loading``, of variance 1 if both are."""
    return loading * one + math.sqrt(1 - loading**2) * other


def _category(latent: Floats, categories: int) -> Bytes:
    """From 1 to ``categories``, in steps of one standard deviation about the middle."""
    cuts = np.arange(1, categories) - categories / 2
    return (1 + np.digitize(latent, cuts)).astype(np.uint8)


def _uniform(text: str) -> float:
    """A number between 0 and 1 that depends on the text alone."""
    drawn = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])
    return (drawn + 0.5) / 2**48


def normal_of(text: str) -> float:
    """A standard normal deviate that depends on the text alone."""
    return NormalDist().inv_cdf(_uniform(text))
