"""Our FHIR resources before independent readers of it, which the tests alone need.

R4 (4.0.1) by ``fhirclient``, which SMART Health IT generates from that release; R5 by
``fhir.resources``. Both refuse unknown elements, wrong types and missing ones.
"""

from __future__ import annotations

import copy
import json

import pytest
from fhir.resources.questionnaire import Questionnaire as Questionnaire5
from fhir.resources.questionnaireresponse import QuestionnaireResponse as Response5
from fhirclient.models.fhirabstractbase import FHIRValidationError
from fhirclient.models.questionnaire import Questionnaire as Questionnaire4
from fhirclient.models.questionnaireresponse import QuestionnaireResponse as Response4
from pydantic import ValidationError

from assessments import fhir
from assessments.instrument.loading import load
from assessments.questionnaire import Questionnaire
from assessments.scoring.sheet import DONT_KNOW, ScenarioAnswer, Sheet
from tests.conftest import SEEDS
from tests.test_fhir import DAY, SHEET, answered, made

pytestmark = pytest.mark.pure


def read(release: fhir.Release, resource: fhir.Resource) -> object:
    """The library's own value of a resource; raises what it refuses."""
    text = json.dumps(resource)
    is_form = resource["resourceType"] == "Questionnaire"
    if release == "R5":
        return (Questionnaire5 if is_form else Response5).model_validate_json(text)
    return (Questionnaire4 if is_form else Response4)(json.loads(text))


def ours() -> tuple[Questionnaire, Sheet]:
    """The form that is really asked, answered in every manner."""
    asked = Questionnaire(load(SEEDS), "A")
    instrument = asked.instrument
    first, *others = instrument.scenarios_of("A")
    level = instrument.confidence_scale[-1].code
    return asked, Sheet(
        context={
            each.code: tuple(option.code for option in each.options[: 2 if each.multiple else 1])
            for each in instrument.context
        },
        self_ratings={each.code: 1 for each in instrument.self_ratings},
        answers={first.code: ScenarioAnswer(DONT_KNOW)}
        | {each.code: ScenarioAnswer("b", level) for each in others},
    )


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("release", fhir.RELEASES)
def test_libraries_read_the_form_and_the_answers(release, language):
    asked, sheet = ours()
    for resource in (
        made(release, language),
        answered(release, SHEET, DAY, language),
        answered(release, Sheet(), None, language),
        fhir.questionnaire(asked, release, language, published_on=DAY),
        fhir.response(asked, sheet, release, language, opened_on=DAY, finished_on=DAY),
    ):
        known = read(release, resource)
        if release == "R5":
            assert json.loads(known.model_dump_json()) == resource  # nothing is lost either


def spoiled(resource: fhir.Resource, **fields: object) -> fhir.Resource:
    other = copy.deepcopy(resource)
    other["item"][0].update(fields)
    return other


@pytest.mark.parametrize("release", fhir.RELEASES)
@pytest.mark.parametrize(
    "fields", [{"linkId": None}, {"unknown": "x"}, {"item": "x"}, {"answer": [{"valueCoding": 3}]}]
)
def test_libraries_refuse_what_is_wrong(release, fields):
    """So that what they accept means something."""
    resource = answered(release)
    read(release, spoiled(resource))
    with pytest.raises((FHIRValidationError, ValidationError)):
        read(release, spoiled(resource, **fields))


def test_neither_release_passes_for_the_other():
    """Where the two differ, a reader of one refuses the other's form."""
    with pytest.raises(FHIRValidationError, match="answerConstraint"):
        read("R4", made("R5"))
