"""Standard settings: an author runs the panel, a judge estimates in it.

A judge answers each situation alone, as a respondent does, and is shown the key only then. The
literature asks for both: who has taken the test under a respondent's conditions knows how hard it
is, and who is given the key at once finds it easier than it is (Hambleton & Pitoniak 2006, in
Brennan, Educational Measurement, 433–470). The key comes before the estimate, for a judge who
is wrong about it would estimate another question.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from .. import standards
from ..charts import Strip, strips
from ..cohort.standards import JUDGES_WISHED, SHOWN_FROM, Item
from ..instrument.document import Scenario, form_label
from ..instrument.rules import PANEL_JUDGES
from ..instruments import PublicationError, current, questionnaire
from ..models import Estimate, Judge, StandardStudy
from .access import CarefulAdmin, View
from .frame import framed
from .standard_forms import (
    JUDGES_PERMISSION,
    AcceptableForm,
    AddJudgeForm,
    AdoptForm,
    EstimateForm,
    NotesForm,
    ScoresForm,
    StudyForm,
    ThinkForm,
)

NAME = "assessments_standardstudy"
State = StandardStudy.State
DISPUTED = 8
"""How many situations are put to the discussion first."""


@dataclass(frozen=True, slots=True)
class Line:
    """A situation on a judge's desk: where it stands, and the panel's figures if shown."""

    number: int
    scenario: Scenario
    own: Estimate | None
    first: Estimate | None
    panel: tuple[Item, Item] | None

    @property
    def is_given(self) -> bool:
        return self.own is not None and self.own.operational is not None


def guarded(rule: Callable[[Any, HttpRequest, StandardStudy], Any], view: View) -> View:
    """A page under a study, for whom ``rule`` finds; the study of somebody else's panel does not
    exist."""

    @wraps(view)
    def found(self: StandardStudyAdmin, request: HttpRequest, study_id: int, **more):
        if not self.has_view_permission(request):
            raise PermissionDenied
        study = self.get_queryset(request).filter(pk=study_id).first()
        if study is None:
            stock_answer = self._get_obj_does_not_exist_redirect  # type: ignore[attr-defined]
            return stock_answer(request, self.opts, str(study_id))
        of = rule(self, request, study)
        if of is None:
            raise PermissionDenied
        return view(self, request, of, **more)

    return found


def for_its_authors(view: View) -> View:
    """``view(self, request, study, …)``, for those who run studies."""
    return guarded(
        lambda self, request, study: study if self.has_change_permission(request) else None, view
    )


def for_its_judges(view: View) -> View:
    """``view(self, request, judge, …)``, for whoever sits in the panel."""
    return guarded(lambda self, request, study: self.seat(request, study), view)


@admin.register(StandardStudy)
class StandardStudyAdmin(CarefulAdmin):
    add_form_template = "admin/assessments/standardstudy/add_form.html"
    form = StudyForm
    fields = ("rated",)
    list_display = ("judged", "opened_on", "state")
    list_display_links = ("judged",)

    # --- Who -----------------------------------------------------------------------------------

    def has_module_permission(self, request) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request, obj=None) -> bool:
        return super().has_view_permission(request, obj) or request.user.has_perm(JUDGES_PERMISSION)

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    def get_queryset(self, request):
        found = super().get_queryset(request).select_related("version", "adopted")
        found = found.defer("version__document", "adopted__document")
        # Whoever judges sees the panels they sit in, and no others.
        if request.user.has_perm("assessments.view_standardstudy"):
            return found
        return found.filter(judges__user=request.user)

    def seat(self, request: HttpRequest, study: StandardStudy) -> Judge | None:
        """The judge who asks. Whoever has become an author since has seen the panel's figures."""
        if not request.user.has_perm(JUDGES_PERMISSION) or self.has_change_permission(request):
            return None
        judge = study.judges.filter(user=request.user.pk).first()
        if judge is not None:
            judge.study = study
        return judge

    # --- Addresses -----------------------------------------------------------------------------

    def get_urls(self):
        view = self.admin_site.admin_view
        under = "<int:study_id>/"
        post = lambda page: view(require_POST(page))  # noqa: E731
        return [
            path(f"{under}judges/", post(self.judges_view), name=f"{NAME}_judges"),
            path(f"{under}move/<str:state>/", view(self.move_view), name=f"{NAME}_move"),
            path(f"{under}notes/", view(self.notes_view), name=f"{NAME}_notes"),
            path(f"{under}figures/", view(self.figures_view), name=f"{NAME}_figures"),
            path(f"{under}scores/", view(self.scores_view), name=f"{NAME}_scores"),
            path(f"{under}adopt/", view(self.adopt_view), name=f"{NAME}_adopt"),
            path(
                f"{under}readiness-standard-setting.csv",
                view(require_safe(self.evidence_view)),
                name=f"{NAME}_evidence",
            ),
            path(
                f"{under}instructions/",
                view(require_safe(self.instructions_view)),
                name=f"{NAME}_instructions",
            ),
            path(f"{under}practice/", view(self.practice_view), name=f"{NAME}_practice"),
            path(
                f"{under}situations/<int:number>/",
                view(self.situation_view),
                name=f"{NAME}_situation",
            ),
            path(f"{under}acceptable/", view(self.acceptable_view), name=f"{NAME}_acceptable"),
            *super().get_urls(),
        ]

    def address(self, study: StandardStudy, name: str = "change", *more: object) -> str:
        return reverse(f"{self.admin_site.name}:{NAME}_{name}", args=(study.pk, *more))

    # --- The list, and a new study -------------------------------------------------------------

    @admin.display(description=gettext_lazy("version and form"), ordering="version")
    def judged(self, study: StandardStudy) -> str:
        return _("%(version)s, form %(form)s") % {
            "version": study.version,
            "form": form_label(study.form),
        }

    def add_view(self, request, form_url="", extra_context=None):
        titled = {"title": _("New standard setting")} | (extra_context or {})
        return super().add_view(request, form_url, titled)

    def save_model(self, request, obj, form, change) -> None:
        standards.create(obj, request.user)

    def response_post_save_add(self, request, obj) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.address(obj))

    def render_change_form(self, request, context, *args, **kwargs):
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(self, request, object_id, extra_context=None):
        if not self.has_change_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The author's page of a study, or the judge's."""
        study = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if study is None:
            return super().change_view(request, object_id, form_url, extra_context)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if self.has_change_permission(request):
            return self.study_page(request, study)
        judge = self.seat(request, study)
        if judge is None:
            raise PermissionDenied
        return self.desk_page(request, judge)

    # --- The author's --------------------------------------------------------------------------

    def study_page(
        self, request: HttpRequest, study: StandardStudy, status: int = 200, **given: forms.Form
    ) -> HttpResponse:
        total = len(standards.scenarios(study))
        named = dict(standards.professions(study))
        judges = [
            {
                "name": seat.judge.user.get_username(),
                "profession": named.get(seat.judge.profession, seat.judge.profession),
                "practised": seat.judge.practised,
                "first": seat.first,
                "second": seat.second,
            }
            for seat in standards.seats(study)
        ]
        return self.page(
            request,
            "study",
            study,
            self.judged(study),
            status=status,
            judges=judges,
            total=total,
            done=sum(
                each["first" if study.state == State.FIRST else "second"] == total
                for each in judges
            ),
            accepting=study.judges.filter(acceptable__isnull=False).count(),
            needed=PANEL_JUDGES,
            wished=JUDGES_WISHED,
            moves=standards.MOVES.get(study.state, ()),
            judge_form=given.get("judge_form") or AddJudgeForm(prefix="judge", study=study),
            is_over=study.state in standards.OVER,
            is_complete=standards.Findings(study).enough,
        )

    @for_its_authors
    def judges_view(self, request: HttpRequest, study: StandardStudy) -> HttpResponse:
        """Give somebody a seat."""
        assert request.user.is_authenticated
        form = AddJudgeForm(request.POST, prefix="judge", study=study)
        if not form.is_valid():
            return self.study_page(request, study, status=422, judge_form=form)
        user = form.cleaned_data["username"]
        try:
            profession = form.cleaned_data.get("profession", "")
            standards.appoint(study, user, profession, request.user)
        except standards.StudyError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(
                request, _("Sits in the panel: %(name)s") % {"name": user.get_username()}
            )
        return HttpResponseRedirect(self.address(study))

    @for_its_authors
    def move_view(self, request: HttpRequest, study: StandardStudy, state: str) -> HttpResponse:
        """Asks before, for nothing takes it back; a POST moves."""
        if state not in State.values:
            raise Http404
        if request.method == "POST":
            assert request.user.is_authenticated
            try:
                standards.move(study, state, request.user)
            except standards.StudyError as error:
                self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(self.address(study))
        if state not in standards.MOVES.get(study.state, ()):
            self.message_user(
                request, _("The study is no longer where this page showed it."), messages.WARNING
            )
            return HttpResponseRedirect(self.address(study))
        number = 2 if study.state == State.SECOND else 1
        return self.page(
            request,
            "move",
            study,
            {
                State.DISCUSSION: _("Close the first round"),
                State.SECOND: _("Open the second round"),
                State.CLOSED: _("Close the second round"),
                State.ABANDONED: _("Abandon the study"),
            }[State(state)],
            to=state,
            done=len(standards.finished(study, number).estimates),
            appointed=study.judges.count(),
            needed=PANEL_JUDGES,
            shown_from=SHOWN_FROM,
        )

    @for_its_authors
    def notes_view(self, request: HttpRequest, study: StandardStudy) -> HttpResponse:
        """What was said in the discussion, for all judges to read in the second round."""
        form = NotesForm(request.POST or None, initial={"notes": study.notes})
        if request.method == "POST" and form.is_valid():
            assert request.user.is_authenticated
            try:
                standards.note(study, form.cleaned_data["notes"], request.user)
            except standards.StudyError as error:
                form.add_error("notes", str(error))
            else:
                self.message_user(request, _("The notes of the discussion are kept."))
                return HttpResponseRedirect(self.address(study))
        return self.page(
            request, "notes", study, _("Notes of the discussion"), status=_status(form), form=form
        )

    def figures_page(
        self, request: HttpRequest, study: StandardStudy, form: forms.Form | None = None
    ) -> HttpResponse:
        findings = standards.Findings(study)
        items = standards.scenarios(study)
        numbers = {item.code: number for number, item in enumerate(items, 1)}
        instrument = standards.instrument_judged(study)
        kept = "\n".join(f"{score:g} {n}" for score, n in study.scores)
        return self.page(
            request,
            "figures",
            study,
            _("What the panel says"),
            status=_status(form),
            findings=findings,
            outcomes=findings.outcomes,
            strips={each.level: _strips(each) for each in findings.outcomes},
            severities=list(
                zip(*(sorted(each.last.severity) for each in findings.outcomes), strict=True)
            ),
            numbers=numbers,
            topics={item.code: item.topic for item in items},
            chances={item.code: standards.chance_of(item) for item in items},
            domains={domain.code: domain.title for domain in instrument.domains},
            disputed=DISPUTED,
            shown_from=SHOWN_FROM,
            needed=PANEL_JUDGES,
            people=sum(n for _score, n in study.scores),
            form=form or ScoresForm(initial={"scores": kept}),
        )

    @for_its_authors
    def figures_view(self, request: HttpRequest, study: StandardStudy) -> HttpResponse:
        """The cuts, their errors, the agreement of the judges, Hofstee's check; from the end of
        the first round on, so that nobody steers a round that is under way."""
        if study.state == State.FIRST:
            self.message_user(
                request, _("Figures are shown once the first round is closed."), messages.WARNING
            )
            return HttpResponseRedirect(self.address(study))
        return self.figures_page(request, study)

    @for_its_authors
    def scores_view(self, request: HttpRequest, study: StandardStudy) -> HttpResponse:
        """Take in the results of a trial."""
        if request.method != "POST" or study.state == State.FIRST:
            return HttpResponseRedirect(self.address(study, "figures"))
        assert request.user.is_authenticated
        form = ScoresForm(request.POST)
        if form.is_valid():
            try:
                standards.enter_scores(study, form.cleaned_data["scores"], request.user)
            except standards.StudyError as error:
                form.add_error("scores", str(error))
            else:
                self.message_user(request, _("The results of the trial are kept."))
                return HttpResponseRedirect(self.address(study, "figures") + "#hofstee")
        return self.figures_page(request, study, form)

    @for_its_authors
    def adopt_view(self, request: HttpRequest, study: StandardStudy) -> HttpResponse:
        """Publish the version judged again with the panel's cuts; asked before."""
        findings = standards.Findings(study)
        if study.state != State.CLOSED or not findings.enough:
            self.message_user(
                request,
                _(
                    "Cut scores are adopted from a closed study in which at least %(n)d judges "
                    "finished."
                )
                % {"n": PANEL_JUDGES},
                messages.WARNING,
            )
            return HttpResponseRedirect(self.address(study))
        served = current()
        is_current = served is not None and served.pk == study.version_id
        form = AdoptForm(request.POST or None, is_current=is_current)
        if request.method == "POST" and form.is_valid():
            assert request.user.is_authenticated
            try:
                made = standards.adopt(study, form.cleaned_data["version"], request.user)
            except (standards.StudyError, PublicationError) as error:
                form.add_error("version", str(error))
            else:
                self.message_user(
                    request,
                    _("%(version)s is published with the panel’s cut scores.") % {"version": made},
                )
                return HttpResponseRedirect(self.address(study))
        return self.page(
            request,
            "adopt",
            study,
            _("Adopt the cut scores"),
            status=_status(form),
            form=form,
            outcomes=findings.outcomes,
            judged_cuts=standards.instrument_judged(study).cuts,
            basis=standards.basis(findings),
            served=served,
            is_current=is_current,
        )

    @for_its_authors
    def evidence_view(self, request: HttpRequest, study: StandardStudy) -> HttpResponse:
        """Every estimate that counts, judges by pseudonym; once and for all when it is over, for
        two files would tell who left in between."""
        if study.state not in standards.OVER:
            self.message_user(
                request, _("The file is made once the study is over."), messages.WARNING
            )
            return HttpResponseRedirect(self.address(study))
        assert request.user.is_authenticated
        return HttpResponse(
            standards.evidence(study, request.user),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": 'attachment; filename="readiness-standard-setting.csv"',
            },
        )

    # --- The judge's ---------------------------------------------------------------------------

    def lines(self, judge: Judge) -> list[Line]:
        """Every situation, as it stands for a judge in the round that is or was last open."""
        study = judge.study
        number = 1 if study.state in (State.FIRST, State.DISCUSSION) else 2
        first = standards.estimates(judge, 1)
        own = first if number == 1 else standards.estimates(judge, 2)
        shown = None if study.state == State.FIRST else standards.finished(study, 1)
        return [
            Line(place, item, own.get(item.code), first.get(item.code), _panel(shown, item.code))
            for place, item in enumerate(standards.scenarios(study), 1)
        ]

    def desk_page(self, request: HttpRequest, judge: Judge) -> HttpResponse:
        study = judge.study
        lines = self.lines(judge)
        given = sum(line.is_given for line in lines)
        complete = standards.given(judge, 1) == len(lines)
        return self.page(
            request,
            "desk",
            study,
            _("Your place in the panel"),
            judge=judge,
            lines=lines,
            given=given,
            total=len(lines),
            next=next((line.number for line in lines if not line.is_given), None),
            in_second=complete,
            shown_from=SHOWN_FROM,
        )

    @for_its_judges
    def instructions_view(self, request: HttpRequest, judge: Judge) -> HttpResponse:
        """What is asked, and who the borderline colleague is."""
        instrument = standards.instrument_judged(judge.study)
        return self.page(
            request,
            "instructions",
            judge.study,
            _("What is asked of you"),
            judge=judge,
            instrument=instrument,
            situations=len(standards.scenarios(judge.study)),
        )

    @for_its_judges
    def practice_view(self, request: HttpRequest, judge: Judge) -> HttpResponse:
        """One situation, in both steps, of which nothing is kept."""
        scenario = standards.practice(judge.study)
        if request.method == "POST" and "operational" in request.POST:
            form = EstimateForm(request.POST, scenario=scenario)
            if form.is_valid():
                standards.practised(judge)
                self.message_user(request, _("You have practised. Now the situations that count."))
                return HttpResponseRedirect(self.address(judge.study))
            return self.estimate_page(request, judge, scenario, form)
        thought = ThinkForm(
            request.POST if request.method == "POST" else None,
            asked=self.asked(judge),
            scenario=self.worded(judge, scenario),
        )
        if thought.is_bound and thought.is_valid():
            return self.estimate_page(request, judge, scenario, EstimateForm(scenario=scenario))
        return self.think_page(request, judge, thought)

    @for_its_judges
    def situation_view(self, request: HttpRequest, judge: Judge, number: int) -> HttpResponse:
        """A situation of the round that is open: first alone, then with its key, an estimate."""
        study = judge.study
        items = standards.scenarios(study)
        if not 1 <= number <= len(items):
            raise Http404
        round_open = standards.ROUNDS.get(study.state)
        complete = standards.given(judge, 1) == len(items)
        if round_open is None or not judge.practised or (round_open == 2 and not complete):
            self.message_user(request, _why_not(study, judge), messages.WARNING)
            return HttpResponseRedirect(self.address(study))
        scenario = items[number - 1]
        own = standards.estimates(judge, round_open).get(scenario.code)
        if round_open == 1 and own is None:
            return self.first_thought(request, judge, scenario, number)
        before = standards.estimates(judge, 1).get(scenario.code)
        kept = own or before
        form = EstimateForm(
            request.POST if request.method == "POST" else None,
            scenario=scenario,
            initial={name: getattr(kept, name) for name in standards.LEVELS} if kept else None,
        )
        if form.is_bound and form.is_valid():
            data = form.cleaned_data
            try:
                standards.estimate(
                    judge, round_open, scenario.code, data["operational"], data["expert"]
                )
            except standards.StudyError as error:
                self.message_user(request, str(error), messages.ERROR)
                return HttpResponseRedirect(self.address(study))
            return HttpResponseRedirect(self.after(judge, number))
        shown = standards.finished(study, 1) if round_open == 2 else None
        return self.estimate_page(
            request,
            judge,
            scenario,
            form,
            number=number,
            before=before if round_open == 2 else None,
            panel=_panel(shown, scenario.code),
            round=round_open,
        )

    def first_thought(
        self, request: HttpRequest, judge: Judge, scenario: Scenario, number: int
    ) -> HttpResponse:
        thought = ThinkForm(
            request.POST if request.method == "POST" else None,
            asked=self.asked(judge),
            scenario=self.worded(judge, scenario),
        )
        if thought.is_bound and thought.is_valid():
            standards.think(judge, scenario.code)
            return HttpResponseRedirect(self.address(judge.study, "situation", number))
        return self.think_page(request, judge, thought, number=number)

    def after(self, judge: Judge, number: int) -> str:
        """The next situation without an estimate, or the desk when all have one."""
        left = [line.number for line in self.lines(judge) if not line.is_given]
        following = next((place for place in left if place > number), next(iter(left), None))
        if following is None:
            return self.address(judge.study)
        return self.address(judge.study, "situation", following)

    @for_its_judges
    def acceptable_view(self, request: HttpRequest, judge: Judge) -> HttpResponse:
        """Hofstee's questions, once the judge knows the situations."""
        study = judge.study
        if standards.given(judge, 1) < len(standards.scenarios(study)):
            self.message_user(
                request, _("Estimate all situations of the first round first."), messages.WARNING
            )
            return HttpResponseRedirect(self.address(study))
        form = AcceptableForm(request.POST or None, judge=judge)
        if request.method == "POST" and form.is_valid():
            try:
                standards.accept(judge, form.answers())
            except standards.StudyError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, _("Your answers are kept."))
            return HttpResponseRedirect(self.address(study))
        return self.page(
            request,
            "acceptable",
            study,
            _("What you would accept"),
            status=_status(form),
            form=form,
            asked=[(2, form.of("operational")), (3, form.of("expert"))],
        )

    # --- Common --------------------------------------------------------------------------------

    def asked(self, judge: Judge):
        """The questionnaire in the words meant for the judge's profession."""
        study = judge.study
        return questionnaire(study.version.digest, study.form, judge.profession)

    def worded(self, judge: Judge, scenario: Scenario) -> Scenario:
        return scenario.worded_for(judge.profession)

    def think_page(
        self, request: HttpRequest, judge: Judge, form: ThinkForm, number: int | None = None
    ) -> HttpResponse:
        return self.page(
            request,
            "think",
            judge.study,
            _("Situation %(number)d: your own answer first") % {"number": number}
            if number
            else _("Practice: your own answer first"),
            status=_status(form),
            form=form,
            number=number,
            instrument=standards.instrument_judged(judge.study),
        )

    def estimate_page(
        self, request: HttpRequest, judge: Judge, scenario: Scenario, form: EstimateForm, **more
    ) -> HttpResponse:
        number = more.get("number")
        instrument = standards.instrument_judged(judge.study)
        domain = instrument.domain_of(scenario.sub_competency)
        return self.page(
            request,
            "estimate",
            judge.study,
            _("Situation %(number)d: your estimate") % {"number": number}
            if number
            else _("Practice: your estimate"),
            status=_status(form),
            form=form,
            judge=judge,
            scenario=self.worded(judge, scenario),
            lettered=list(zip("ABCDEFGH", self.worded(judge, scenario).options, strict=False)),
            levels=next(one for one in instrument.domains if one.code == domain).levels[1:],
            total=len(standards.scenarios(judge.study)),
            shown_from=SHOWN_FROM,
            **more,
        )

    def page(
        self,
        request: HttpRequest,
        name: str,
        study: StandardStudy,
        title: str,
        status: int = 200,
        **context,
    ) -> HttpResponse:
        return framed(
            self,
            request,
            f"standardstudy/{name}",
            title,
            status=status,
            study=study,
            judged=self.judged(study),
            runs=self.has_change_permission(request),
            **context,
        )


def _status(form: forms.Form | None) -> int:
    """What a page answers to a form: that it could not be taken in, or nothing special."""
    return 422 if form is not None and form.is_bound and form.errors else 200


def _strips(outcome: standards.Outcome) -> tuple[Strip, ...]:
    rounds = [each for each in (outcome.first, outcome.second) if each is not None]
    return strips([(each.judges, each.cut, each.error) for each in rounds])


def _panel(shown: standards.Round | None, scenario: str) -> tuple[Item, Item] | None:
    if shown is None:
        return None
    operational, expert = (shown.panel(scenario, level) for level in standards.LEVELS)
    return (operational, expert) if operational and expert else None


def _why_not(study: StandardStudy, judge: Judge) -> str:
    if study.state not in standards.ROUNDS:
        return _("No round is open.")
    if not judge.practised:
        return _("Practise on one situation first.")
    return _("You did not finish the first round: the second one is for those who did.")
