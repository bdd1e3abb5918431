"""Erasing, and keeping no longer than was said."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assessments import press, sittings
from assessments.models import Sitting
from assessments.scoring.sheet import Sheet

from .conftest import Person

COMING = (timezone.localdate() + timedelta(days=50)).isoformat()


def test_erasing_is_confirmed_and_whole(person):
    code = person.code
    person.client.get(reverse("erase"))
    assert Sitting.objects.count() == 1
    response = person.client.post(reverse("erase"))
    assert "erased" in response.text
    assert not Sitting.objects.exists()
    assert (
        "This code opens no questionnaire"
        in Client(headers={"accept-language": "en"}).post(reverse("resume"), {"code": code}).text
    )
    assert person.client.get(reverse("sitting")).headers["Location"] == reverse("resume")


@pytest.mark.parametrize(
    ("opened", "finished", "kept"),
    [(30, None, True), (31, None, False), (800, 730, True), (800, 731, False), (31, 31, True)],
)
def test_the_purge_keeps_what_the_notice_says(person, opened, finished, kept):
    today = timezone.localdate()
    Sitting.objects.update(
        opened_on=today - timedelta(days=opened),
        finished_on=finished and today - timedelta(days=finished),
    )
    out = StringIO()
    call_command("purge", stdout=out)
    assert Sitting.objects.exists() is kept
    assert out.getvalue() == f"{0 if kept else 1} sittings deleted.\n"


def test_erased_elsewhere_is_said_calmly(person, asked):
    seen = person.seen("scenarios", 1)
    other = Client()
    other.post(reverse("resume"), {"code": person.code})
    stale = Sitting.objects.select_related("version").get()
    other.post(reverse("erase"))
    posted = {"seen": seen, f"answer-{asked.page('scenarios', 1).items[0].code}": "a"}
    assert person.client.post(reverse("page", args=["scenarios", 1]), posted).status_code == 200
    for write in (
        lambda: sittings.finish(stale),
        lambda: sittings.keep_plans(stale, []),
        lambda: sittings.save_page(
            stale, asked.pages[0], Sheet(self_ratings={}), seen=None, language="fr"
        ),
    ):
        with pytest.raises(sittings.Erased):
            write()


def test_own_data_is_whole(version, asked):
    person = Person()
    person.begin()
    person.answer_all(asked)
    person.client.post(reverse("review"))
    data = person.client.get(reverse("answers")).json()
    assert len(data["answers"]) == 24
    assert len(data["self_ratings"]) == 16
    assert set(data["scores"]) == {"A", "B", "C", "overall"}
    assert data["finished_on"] == timezone.localdate().isoformat()


def test_a_report_waits_its_turn_and_not_for_ever(version, asked, monkeypatch):
    person = Person()
    person.begin()
    person.answer_all(asked)
    person.client.post(reverse("review"))
    monkeypatch.setattr(press, "PATIENCE", 0.01)
    with press._printing:
        response = person.client.get(reverse("report"))
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "30"
    assert "ask for it again" in response.text
    assert person.client.get(reverse("report")).content.startswith(b"%PDF-")


def test_steps_are_chosen_edited_and_kept(version, asked):
    person = Person()
    person.begin()
    person.answer_all(asked)
    person.client.post(reverse("review"))
    forms = person.client.get(reverse("plans")).context["forms"]
    assert len(forms) == 3
    (first, form), *_others = forms
    posted = {f"{first.code}-{name}": form.initial[name] for name in ("when", "will")}
    posted |= {f"{first.code}-keep": "on", f"{first.code}-before": COMING}
    for wrong in ({f"{first.code}-will": ""}, {f"{first.code}-before": "1899-12-31"}):
        assert person.client.post(reverse("plans"), posted | wrong).status_code == 422
    assert person.sitting.plans is None
    posted |= {f"{first.code}-will": "relis la notice", f"{first.code}-together_with": "Ama"}
    assert person.client.post(reverse("plans"), posted).headers["Location"] == reverse("results")
    assert person.sitting.plans == [
        {
            "step": first.code,
            "when": form.initial["when"],
            "will": "relis la notice",
            "together_with": "Ama",
            "before": COMING,
        }
    ]
    assert "relis la notice" in person.client.get(reverse("results")).text
