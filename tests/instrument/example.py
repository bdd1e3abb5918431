"""A small instrument that satisfies every rule, made without ``seeds/``.

``example_data`` is plain data, file by file, for tests that break it; ``example_instrument`` is
the instrument it holds. With several forms, the first scenario of each sub-competency that has
two is an anchor, served in all of them: eight anchors.

Every scenario has one best, one acceptable and two wrong options, in positions that turn; every
second one has an unsafe option.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import yaml

from assessments.instrument.document import Instrument
from assessments.instrument.loading import InstrumentError, loads
from assessments.instrument.rules import Finding

BLUEPRINT = {
    "A": {"A1": 1, "A2": 2, "A3": 2, "A4": 1, "A5": 2},
    "B": {"B1": 2, "B2": 1, "B3": 2, "B4": 1, "B5": 2},
    "C": {"C1": 2, "C2": 1, "C3": 2, "C4": 1, "C5": 1, "C6": 1},
}
SUB_COMPETENCIES = {code: count for subs in BLUEPRINT.values() for code, count in subs.items()}
LAW = {"C1", "C2"}
PROFESSIONS = {"physician": "médecin", "nurse": "infirmier ou infirmière", "manager": "encadrement"}
SETTINGS = {"hospital": "hôpital", "private_practice": "cabinet", "nursing_home": "EHPAD"}

type Data = dict[str, Any]
"""File name → the plain value of its YAML."""


def text(french: str, english: str) -> dict[str, str]:
    return {"fr": french, "en": english}


def choices(names: Mapping[str, str]) -> list[Data]:
    return [{"code": code, "text": text(name, code)} for code, name in names.items()]


def header(forms: Sequence[str]) -> Data:
    return {
        "code": "example",
        "version": "1.0",
        "title": text("Exemple d’instrument", "Example instrument"),
        "licence": "CC BY-SA 4.0",
        "authors": ["Example authors"],
        "languages": ["fr", "en"],
        "forms": list(forms),
        "status": text("Usage formatif uniquement", "Formative use only"),
        "cuts": {
            "operational": 55,
            "expert": 80,
            "provisional": True,
            "basis": text("Seuils provisoires", "Provisional cut scores"),
        },
        "self_rating_scale": [
            {"code": str(point), "text": text(f"degré {point}", f"point {point}")}
            for point in range(1, 6)
        ],
        "self_rating_intro": text("Dans ma pratique…", "In my practice…"),
        "confidence_question": text(
            "Quelle est votre certitude\u00a0?", "How sure of your answer are you?"
        ),
        "confidence_scale": [
            {
                "code": f"p{percent}",
                "text": text(f"{percent}\u00a0%", f"{percent}%"),
                "probability": percent / 100,
            }
            for percent in (25, 50, 75, 95)
        ],
        "dont_know": text("Je ne sais pas", "I don’t know"),
        "context": [
            {
                "code": "profession",
                "text": text("Votre profession", "Your profession"),
                "options": choices(PROFESSIONS),
            },
            {
                "code": "setting",
                "text": text("Votre lieu d’exercice", "Where you practise"),
                "options": choices(SETTINGS),
                "help": text("Le principal", "The main one"),
            },
            {
                "code": "tools",
                "text": text("Vos outils d’IA", "Your AI tools"),
                "options": choices({"imaging": "imagerie", "scribe": "transcription"}),
                "multiple": True,
            },
        ],
        "domains": [
            {
                "code": domain,
                "goal": f"G{number}",
                "title": text(f"Domaine {domain}", f"Domain {domain}"),
                "summary": text(f"Résumé du domaine {domain}", f"Summary of domain {domain}"),
                "levels": [
                    {"level": level, "text": text(f"niveau {level}", f"level {level}")}
                    for level in (1, 2, 3)
                ],
            }
            for number, domain in enumerate(BLUEPRINT, start=1)
        ],
        "sub_competencies": [
            {
                "code": code,
                "domain": domain,
                "title": text(f"Compétence {code}", f"Competency {code}"),
                "scenarios": count,
                "goals": [f"G{number}"],
                "priorities": ["P1"],
                "pillars": ["L1"] if domain == "C" else [],
            }
            for number, (domain, subs) in enumerate(BLUEPRINT.items(), start=1)
            for code, count in subs.items()
        ],
    }


def strategy() -> Data:
    kinds = {"G1": "goal", "G2": "goal", "G3": "goal", "P1": "priority", "L1": "pillar"}
    return {
        "title": text("Stratégie d’exemple", "Example strategy"),
        "as_of": date(2026, 11, 23),
        "entries": [
            {
                "code": code,
                "kind": kind,
                "title": text(f"Entrée {code}", f"Entry {code}"),
                "sources": ["strategy-2025"],
                "scored": kind == "goal",
            }
            for code, kind in kinds.items()
        ],
        "elements": [
            {
                "code": "guide",
                "title": text("Un guide", "A guide"),
                "announced": text("À l’automne", "In autumn"),
                "state": text("Publié", "Published"),
                "as_of": date(2026, 11, 23),
                "confirmed": True,
                "sources": ["strategy-2025"],
            }
        ],
    }


def scenario(code: str, sub_competency: str, forms: Sequence[str], turn: int) -> Data:
    law = sub_competency in LAW
    grades: dict[int, tuple[float, str, str]] = {
        0: (1, "meilleur choix", "best choice"),
        1: (0.5, "choix acceptable", "acceptable choice"),
        2: (0, "choix risqué", "risky choice"),
        3: (0, "choix inutile", "useless choice"),
    }
    options = []
    for position, letter in enumerate("abcd"):
        credit, french, english = grades[grade := (position + turn) % 4]
        options.append(
            {
                "code": letter,
                "text": text(f"Pour {code}, le {french}", f"For {code}, the {english}"),
                "credit": credit,
                "unsafe": grade == 2 and turn % 2 == 0,
                "rationale": text(f"C’est le {french}.", f"This is the {english}."),
            }
        )
    return {
        "code": code,
        "sub_competency": sub_competency,
        "forms": list(forms),
        "topic": text(f"Situation {code}", f"Situation {code}"),
        "stem": text(f"Situation {code}\u00a0: que faire\u00a0?", f"{code}: what do you do?"),
        "options": options,
        "explanation": text(f"Pourquoi, pour {code}.", f"Why, for {code}."),
        "sources": ["law-2024" if law else "study-2021"],
        "nature": "law" if law else "science",
        "jurisdiction": "FR" if law else "any",
        "valid_from": date(2026, 11, 23),
        "review_by": date(2027, 5, 23) if law else date(2028, 11, 23),
        "facts": ["F1"],
    }


def scenarios(forms: Sequence[str]) -> list[Data]:
    made: list[Data] = []
    for sub_competency, count in SUB_COMPETENCIES.items():
        places = [list(forms)] if count == 2 else []  # the anchor first
        places += [[form] for form in forms]
        for serial, served in enumerate(places, start=1):
            made.append(scenario(f"{sub_competency}-{serial}", sub_competency, served, len(made)))
    return made


def next_step(sub_competency: str, kind: str, minutes: int, **more: Any) -> Data:
    return {
        "code": f"{sub_competency}-{kind}-example",
        "sub_competency": sub_competency,
        "kind": kind,
        "title": text(f"Étape pour {sub_competency}", f"Step for {sub_competency}"),
        "text": text(f"Que faire pour {sub_competency}.", f"What to do for {sub_competency}."),
        "minutes": minutes,
        "plan": {
            "when": text("je reçois une alerte", "I receive an alert"),
            "will": text("note si elle était fondée", "note whether it was right"),
            "together_with": text("une collègue", "a colleague"),
            "within_days": 30,
        },
        **more,
    }


def next_steps() -> list[Data]:
    """An open ward step and a resource for each, and a training for physicians for A1."""
    steps = [next_step("A1", "training", 240, professions=["physician"], settings=["hospital"])]
    for code in SUB_COMPETENCIES:
        steps.append(next_step(code, "ward", 20))
        steps.append(next_step(code, "resource", 30, sources=["study-2021"]))
    return steps


def sources() -> list[Data]:
    return [
        {
            "code": "study-2021",
            "citation": "Author A. A study. Journal, 2021.",
            "read_on": date(2026, 11, 23),
            "reading": "abstract",
            "doi": "10.1000/example.2021",
        },
        {
            "code": "law-2024",
            "citation": "A law, 2024.",
            "read_on": date(2026, 11, 23),
            "reading": "primary",
            "url": "https://www.example.org/law",
        },
    ]


def strategy_sources() -> list[Data]:
    return [
        {
            "code": "strategy-2025",
            "citation": "A strategy, 2025.",
            "read_on": date(2026, 11, 23),
            "reading": "secondary",
        }
    ]


def example_data(forms: Sequence[str] = ("A",)) -> Data:
    """The plain values of the example's files, freshly made, to be broken at will."""
    items = scenarios(forms)
    return {
        "instrument.yaml": header(forms),
        "self_ratings.yaml": [
            {
                "code": f"{code}-self",
                "sub_competency": code,
                "text": text(f"Je maîtrise {code}", f"I master {code}"),
            }
            for code in SUB_COMPETENCIES
        ],
        "strategy.yaml": strategy(),
        "scenarios/a.yaml": [item for item in items if item["sub_competency"][0] == "A"],
        "scenarios/bc.yaml": [item for item in items if item["sub_competency"][0] != "A"],
        "next_steps/all.yaml": next_steps(),
        "sources/all.yaml": sources(),
        "sources/strategy.yaml": strategy_sources(),
    }


class PlainDumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes shared values out each time, for an instrument's YAML has no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def write(value: object) -> str:
    """A plain value as YAML."""
    return yaml.dump(value, Dumper=PlainDumper, allow_unicode=True, sort_keys=False, width=100)


def example_files(forms: Sequence[str] = ("A",)) -> dict[str, str]:
    """The example's YAML files, by name."""
    return dict(_written(tuple(forms)))


@cache
def _written(forms: tuple[str, ...]) -> dict[str, str]:
    return {name: write(value) for name, value in example_data(forms).items()}


@cache
def example_instrument(forms: tuple[str, ...] = ("A",)) -> Instrument:
    """The example: 3 domains, 16 sub-competencies, 24 scenarios in each form."""
    return loads(example_files(forms))


# Breaking it

type Place = tuple[str, str, str, str]
"""File, item, field and rule of a finding."""


def findings_in(files: Mapping[str, str | bytes]) -> tuple[Finding, ...]:
    """What the loader finds in files; empty when it accepts them."""
    try:
        loads(files)
    except InstrumentError as error:
        return error.findings
    return ()


def places(files: Mapping[str, str | bytes]) -> list[Place]:
    """Where the findings are; each must also render, in one line."""
    found = findings_in(files)
    assert all(len(finding.render().splitlines()) == 1 for finding in found)
    return [(finding.file, finding.item, finding.field, finding.rule) for finding in found]


def go(value: Any, path: Sequence[str | int]) -> Any:
    """The value at a path of keys, of codes of a list's items, or of positions."""
    for step in path:
        if isinstance(value, list) and isinstance(step, str):
            (value,) = (part for part in value if part["code"] == step)
        else:
            value = value[step]
    return value


def put(file: str, *path: Any) -> Callable[[Data], None]:
    """A breakage: the last of ``path`` becomes the value at the rest of it."""
    *way, key, value = path

    def change(data: Data) -> None:
        go(data[file], way)[key] = value

    return change


def drop(file: str, *path: str | int) -> Callable[[Data], None]:
    """A breakage: the value at the path is gone."""
    *way, key = path

    def change(data: Data) -> None:
        holder = go(data[file], way)
        if isinstance(holder, list):
            holder.remove(go(holder, [key]))
        else:
            del holder[key]

    return change


def add(file: str, *path: Any) -> Callable[[Data], None]:
    """A breakage: the last of ``path`` is appended to the list at the rest of it."""
    *way, value = path

    def change(data: Data) -> None:
        go(data[file], way).append(value)

    return change


def broken(*changes: Callable[[Data], None]) -> dict[str, str]:
    """The files of the example after some breakages."""
    data = example_data()
    for change in changes:
        change(data)
    whole, written = example_data(), example_files()
    return {
        name: written[name] if repr(value) == repr(whole.get(name)) else write(value)
        for name, value in data.items()
    }
