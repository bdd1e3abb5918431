"""Two of everything, so that each person has something of their own and something foreign.

Half A belongs to ``trainer`` and ``judge``, half B to ``stranger`` and ``outsider``; nothing else
tells the halves apart.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import timedelta
from importlib import import_module
from pathlib import Path

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from msgspec.structs import replace

from assessments import accounts, codes, cohorts, instruments, releases, roles, sittings, standards
from assessments.demonstration import simulated_sheet
from assessments.models import (
    Cohort,
    Estimate,
    Event,
    Job,
    Phase,
    Sitting,
    StandardStudy,
)
from assessments.staff import recovery
from tests.browser.world import measured
from tests.instrument.example import example_instrument

NOWHERE = 999_999_999
"""A key that nothing has ever had."""
CREDENTIAL = json.loads((Path(__file__).parents[1] / "passkey.json").read_text())
GROUP = 14
"""People who have finished in each closed phase: enough for a release, and quickly made."""


@dataclass(frozen=True)
class Half:
    name: str
    trainer: User
    judge: User
    cohort: Cohort
    closed: Phase
    open: Phase
    file: Job
    failed: Job
    study: StandardStudy
    event: Event
    key: Authenticator
    """The trainer’s passkey."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is read by nobody but its trainers, and by those who administer cohorts."""
        return self.cohort.name, self.cohort.code, codes.grouped(self.cohort.code)


def account(name: str, *makers: Callable[[User], None], **flags: bool) -> User:
    user = get_user_model().objects.create_user(
        name, f"{name}@hospital.example", "pw " * 5, **flags
    )
    for make in makers:
        make(user)
    return get_user_model().objects.get(pk=user.pk)


class World:
    def __init__(self) -> None:
        self.today = timezone.localdate()
        self.chance = random.Random(3)
        self.closed_sitting = 0
        self.version, _new = instruments.publish(example_instrument(("A", "B")))
        self.asked = instruments.questionnaire(
            self.version.digest, instruments.default_form(self.version)
        )
        self.author = account("author", roles.make_author)
        self.former = account("former", roles.make_trainer)
        self.resigned = account("resigned", roles.make_judge)
        self.turncoat = account("turncoat", roles.make_judge)
        self.newcomer = account("newcomer", roles.make_trainer)
        self.spare = account("spare", roles.make_judge)
        self.a = self._half("Ward Alizarin", "trainer", "judge", self.resigned, self.turncoat)
        self.b = self._half("Clinic Bergamot", "stranger", "outsider")
        cohorts.add_trainer(self.a.cohort, self.former, self.a.trainer)
        self.draft, _new = instruments.keep_draft(
            replace(example_instrument(("A", "B")), version="9.9"), self.author
        )
        self.calibration = instruments.keep_calibration(
            self.version, measured.__wrapped__(self.asked.form)
        )
        self.staff = {
            "trainer": self.a.trainer,
            "stranger": self.b.trainer,
            "newcomer": self.newcomer,
            "former": self.former,
            "inactive": account("inactive", roles.make_trainer),
            "author": self.author,
            "judge": self.a.judge,
            "outsider": self.b.judge,
            "resigned": self.resigned,
            "turncoat": self.turncoat,
            "unproven": account("unproven", roles.make_trainer),
            "clerk": account("clerk", is_staff=True),
            "plain": account("plain"),
            "operator": account("operator", roles.make_operator),
            "superuser": account("superuser", is_staff=True, is_superuser=True),
        }
        self.a.cohort.trainers.add(self.staff["inactive"], self.staff["unproven"])
        self.browsers = {name: self.signed_in(user) for name, user in self.staff.items()}
        self._leave_meanwhile()
        self.intentions: dict[str, str] = {}
        self._respondents()

    # --- The halves -------------------------------------------------------------------------------

    def _half(self, name: str, trainer: str, judge: str, *judges: User) -> Half:
        owner = account(trainer, roles.make_trainer)
        key = Authenticator.objects.create(
            user=owner,
            type="webauthn",
            data={"name": f"key of {trainer}", "credential": CREDENTIAL},
        )
        recovery.make(owner)
        colleague = account(f"{trainer}-colleague", roles.make_trainer)
        cohort = Cohort(name=name)
        cohorts.create(cohort, owner)
        cohorts.add_trainer(cohort, colleague, owner)
        closed = self._phase(cohort, Phase.Kind.BEFORE, owner)
        for _person in range(GROUP):
            self.closed_sitting = self.sitting(closed, finished=True).pk
        releases.close(closed, owner)
        Phase.objects.filter(pk=closed.pk).update(opens_on=self.today - timedelta(days=9))
        made = {"phase": closed, "actor": colleague, "work": Job.Work.EXPORT, "language": "en"}
        seat = account(judge, roles.make_judge)
        study = StandardStudy(version=self.version, form=self.asked.form)
        standards.create(study, self.author)
        for user in (seat, *judges):
            placed = standards.appoint(study, user, "nurse", self.author)
            standards.practised(placed)
        first = standards.scenarios(study)[0].code
        Estimate.objects.create(judge=study.judges.get(user=seat), round=1, scenario=first)
        return Half(
            name=name,
            trainer=owner,
            judge=seat,
            cohort=cohort,
            closed=Phase.objects.get(pk=closed.pk),
            open=self._phase(cohort, Phase.Kind.AFTER, owner),
            file=Job.objects.create(
                **made, export="results.csv", state=Job.State.DONE, file=f"of {name}".encode()
            ),
            failed=Job.objects.create(**made, export="results.json", state=Job.State.FAILED),
            study=study,
            event=Event.objects.filter(actor=owner).latest("pk"),
            key=key,
        )

    def _phase(self, cohort: Cohort, kind: str, owner: User) -> Phase:
        phase = Phase(cohort=cohort, kind=kind, opens_on=self.today)
        cohorts.plan(phase, owner)
        return phase

    def _leave_meanwhile(self) -> None:
        """What happens to people who are signed in."""
        cohorts.leave(self.a.cohort, self.former)
        self.resigned.groups.clear()
        roles.make_author(self.turncoat)
        User.objects.filter(username="inactive").update(is_active=False)
        TOTP.activate(self.staff["unproven"], generate_totp_secret())
        recovery.make(self.staff["unproven"])

    # --- Those who answer -------------------------------------------------------------------------

    def sitting(self, phase: Phase | None, *, finished: bool, code: str = "") -> Sitting:
        made = sittings.open_sitting(
            code or codes.new_code(codes.RESUME_LENGTH),
            version=self.version,
            phase=phase,
            language="en",
        )
        asked = sittings.questionnaire_of(made)
        sheet = simulated_sheet(asked.instrument, made.form, 0.3, self.chance)
        made.answers = asked.layout.pack(sheet)
        made.save(update_fields=["answers"])
        if finished:
            sittings.finish(made)
        return made

    def _respondents(self) -> None:
        for name, phase, finished in (
            ("answering", None, False),
            ("finished", None, True),
            ("grouped", self.a.open, True),
            ("erased", None, True),
            ("expired", None, True),
        ):
            code = codes.new_code(codes.RESUME_LENGTH)
            sitting = self.sitting(phase, finished=finished, code=code)
            if finished:
                self.intentions[name] = f"ask the {name} pharmacist"
                step = sittings.profile_of(sitting).next_steps[0].step
                plan = sittings.proposed_plan(sitting, step, "en")
                sittings.keep_plans(sitting, [replaced(plan, will=self.intentions[name])])
            client = self.browser()
            client.post(reverse("resume"), {"code": code})
            self.browsers[name] = client
            if name == "erased":
                Sitting.objects.filter(pk=sitting.pk).delete()
        gone = self.browsers["expired"].cookies[settings.SESSION_COOKIE_NAME].value
        import_module(settings.SESSION_ENGINE).SessionStore(gone).delete()
        self.browsers["visitor"] = self.browser()
        joining = self.browsers["joining"] = self.browser()
        joining.post(reverse("cohort", args=(self.a.cohort.code,)))
        joining.post(reverse("notice"))

    # --- Browsers ---------------------------------------------------------------------------------

    def browser(self) -> Client:
        return Client(headers={"accept-language": "en"})

    def signed_in(self, user: User) -> Client:
        """The browser of somebody who has signed in as one does today, with all it takes."""
        client = self.browser()
        client.force_login(user)
        if accounts.has_second_factor(user):
            request = RequestFactory().get("/")
            request.session, request.user = client.session, user
            record_authentication(request, user, "mfa", type="webauthn")
            request.session.save()
        return client


def form_of(client: Client, address: str) -> dict[str, object]:
    """What a form of the admin sends as it is displayed."""
    shown = client.get(address).context
    forms = [shown["adminform"].form]
    for inline in shown["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    values = {}
    for form in forms:
        for bound in form:
            with suppress(AttributeError):
                values[bound.html_name] = bound.value()
    return {
        name: value
        for name, value in values.items()
        if value is not False and value not in (None, "")
    }
