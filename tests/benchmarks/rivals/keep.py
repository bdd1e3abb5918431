"""``python keep.py prepare``: the tables and the survey. ``count``: what was stored."""

import json
import os
import sys
from importlib.metadata import version

import django
from django.core.management import call_command

PAGES, QUESTIONS_A_PAGE = 9, 5
CHOICES = ("Never", "Rarely", "Sometimes", "Often", "Always")
PACKAGE = {"djf_surveys": "django-form-surveys", "survey": "django-survey-and-report"}


def texts() -> list[list[str]]:
    """The questions, page by page: of the length of a line."""
    return [
        [
            f"Question {page * QUESTIONS_A_PAGE + place}: how often do you check what a tool "
            "proposes before you use it?"
            for place in range(1, QUESTIONS_A_PAGE + 1)
        ]
        for page in range(PAGES)
    ]


def prepare_djf_surveys() -> str:
    """One page: the package knows no others."""
    from djf_surveys.models import TYPE_FIELD, Question, Survey

    survey = Survey.objects.create(
        name="Readiness", description="How ready are you?", can_anonymous_user=True,
        duplicate_entry=True,
    )  # fmt: skip
    for place, text in enumerate(text for page in texts() for text in page):
        Question.objects.create(
            survey=survey, label=text, type_field=TYPE_FIELD.radio, choices=", ".join(CHOICES),
            ordering=place,
        )  # fmt: skip
    return f"/surveys/create/{survey.slug}/"


def prepare_survey() -> str:
    from survey.models import Category, Question, Survey

    survey = Survey.objects.create(
        name="Readiness", description="How ready are you?", is_published=True,
        need_logged_user=False, display_method=Survey.BY_CATEGORY,
    )  # fmt: skip
    for number, page in enumerate(texts()):
        category = Category.objects.create(survey=survey, name=f"Part {number + 1}", order=number)
        for place, text in enumerate(page):
            Question.objects.create(
                survey=survey, category=category, text=text, order=number * len(page) + place,
                required=True, type=Question.RADIO, choices=", ".join(CHOICES),
            )  # fmt: skip
    return f"/surveys/{survey.pk}-0/"


def count(rival: str) -> dict[str, int]:
    from django.db.models import Count

    if rival == "djf_surveys":
        from djf_surveys.models import UserAnswer

        found = UserAnswer.objects.annotate(kept=Count("answer"))
    else:
        from survey.models import Response

        found = Response.objects.annotate(kept=Count("answers"))
    told = list(found.values_list("kept", flat=True))
    return {"finished": len(told), "answers": sum(told)}


def main(command: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    django.setup()
    rival = os.environ["BENCH_RIVAL"]
    if command == "prepare":
        call_command("migrate", verbosity=0)
        door = prepare_djf_surveys() if rival == "djf_surveys" else prepare_survey()
        packages = (PACKAGE[rival], "django", "gunicorn")
        told = {"door": door, "versions": {name: version(name) for name in packages}}
    else:
        told = count(rival)
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
