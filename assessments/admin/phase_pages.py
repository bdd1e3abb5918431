"""Pages under a phase: closing it, reading its results, taking them up with the group."""

from __future__ import annotations

from functools import wraps

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from .. import cohort_exports, cohorts, jobs, releases
from ..journal import record
from ..models import Cohort, Event, Job, Phase
from ..press import Busy
from ..views import limited
from .access import CarefulAdmin, View, for_its_trainers
from .frame import framed

CLOSE = "assessments_cohort_close"
RESULTS = "assessments_cohort_results"
SITUATIONS = "assessments_cohort_situations"
DEBRIEFING = "assessments_cohort_debriefing"
PAUSE = "assessments_cohort_pause"
EXPORT = "assessments_cohort_export"
JOB = "assessments_cohort_job"
JOB_FILE = "assessments_cohort_job_file"

STAGES = ("question", "answers", "explanation")
"""What a room sees of a situation, one after the other."""


def in_measure(view: View) -> View:
    """A page that makes a file: of one account, so often at most."""

    @wraps(view)
    def held(
        self: PhasePages, request: HttpRequest, of: Cohort | Phase, *args, **more
    ) -> HttpResponse:
        try:
            limited.hold((limited.STAFF_FILES, request.user.pk))
        except limited.Limited as limit:
            title, again = _("Too many tries: a moment, please"), limited.words(limit.wait)
            page = self.page(request, "limited", of, title, again=again)
            return limited.told(page, limit.wait)
        return view(self, request, of, *args, **more)

    return held


class PhasePages(CarefulAdmin):
    """What :class:`~.cohort.CohortAdmin` shows of a phase: every page is for its trainers."""

    def phase_urls(self, view) -> list:
        under = "<int:cohort_id>/phases/<int:phase_id>/"
        return [
            path(f"{under}close/", view(self.close_view), name=CLOSE),
            path(f"{under}pause/", view(require_POST(self.pause_view)), name=PAUSE),
            path(f"{under}results/", view(self.results_view), name=RESULTS),
            path(f"{under}results/<str:name>", view(self.export_view), name=EXPORT),
            path(f"{under}situations/", view(self.situations_view), name=SITUATIONS),
            path(
                f"{under}debriefing/<int:number>/<str:stage>/",
                view(self.debriefing_view),
                name=DEBRIEFING,
            ),
            path(f"{under}jobs/<int:job_id>/", view(self.job_view), name=JOB),
            path(f"{under}jobs/<int:job_id>/file/", view(self.job_file_view), name=JOB_FILE),
        ]

    # --- Closing ------------------------------------------------------------------------------

    @for_its_trainers
    def close_view(self, request: HttpRequest, phase: Phase) -> HttpResponse:
        """Asks before, for closing is final; a POST closes."""
        if phase.closed_on is not None or not cohorts.has_opened(phase):
            self.message_user(
                request,
                _("This phase is already closed.")
                if phase.closed_on
                else _("This phase has not opened yet."),
                messages.WARNING,
            )
            return HttpResponseRedirect(self.address(phase.cohort))
        if request.method == "POST":
            assert request.user.is_authenticated  # for_its_trainers has seen to it
            try:
                releases.close(phase, request.user)
            except releases.AlreadyClosed:  # by a colleague, or by the same button twice
                pass
            else:
                if phase.settled_on is None:
                    job = jobs.start(phase, request.user, Job.Work.PUBLISH)
                    return HttpResponseRedirect(self.address(phase, JOB, job.pk))
            return HttpResponseRedirect(self.address(phase, RESULTS))
        counted = releases.refresh_counts(phase)
        return self.page(request, "close", phase, _("Close the phase"), counted=counted)

    @for_its_trainers
    def pause_view(self, request: HttpRequest, phase: Phase) -> HttpResponse:
        """Nobody new joins for a time; whoever has started goes on."""
        assert request.user.is_authenticated
        paused = request.POST.get("paused") == "yes"
        if cohorts.pause(phase, request.user, paused=paused):
            self.message_user(
                request,
                _("Joining is paused: nobody new can start.")
                if paused
                else _("People can join again."),
            )
        return HttpResponseRedirect(self.address(phase.cohort))

    # --- Reading ------------------------------------------------------------------------------

    @for_its_trainers
    def results_view(self, request: HttpRequest, phase: Phase) -> HttpResponse:
        """Reads the releases of the phase, and nothing else."""
        publishing = phase.closed_on is not None and phase.settled_on is None
        job = jobs.publication_of(phase) if publishing else None
        if publishing and job is None:
            # Closed, and stopped before its publication could be sent to the worker.
            assert request.user.is_authenticated
            job = jobs.start(phase, request.user, Job.Work.PUBLISH)
        return self.page(
            request,
            "results",
            phase,
            _("Results of the group"),
            results=cohort_exports.results_of_phase(phase),
            job=job,
            exports=cohort_exports.NAMES,
        )

    @for_its_trainers
    def situations_view(self, request: HttpRequest, phase: Phase) -> HttpResponse:
        """Every situation with the group's answers, the key, the explanation, the sources."""
        results = cohort_exports.results_of_phase(phase)
        if results is None:
            return HttpResponseRedirect(self.address(phase, RESULTS))
        return self.page(request, "situations", phase, _("Situations one by one"), results=results)

    @for_its_trainers
    def debriefing_view(
        self, request: HttpRequest, phase: Phase, number: int, stage: str
    ) -> HttpResponse:
        """One situation on the projector: the question, then the answers, then the explanation."""
        results = cohort_exports.results_of_phase(phase)
        if results is None:
            return HttpResponseRedirect(self.address(phase, RESULTS))
        if stage not in STAGES or not 1 <= number <= len(results.situations):
            raise Http404
        return self.page(
            request,
            "debriefing",
            phase,
            _("Debriefing"),
            results=results,
            situation=results.situations[number - 1],
            stage=stage,
            steps=self._steps(phase, number, stage, len(results.situations)),
        )

    def _steps(self, phase: Phase, number: int, stage: str, last: int) -> dict[str, str | None]:
        """Where the projector goes from here: forward and back, by one step or one situation."""

        def there(place: int, to: str) -> str | None:
            return self.address(phase, DEBRIEFING, place, to) if 1 <= place <= last else None

        at = STAGES.index(stage)
        return {
            "next": there(number, STAGES[at + 1])
            if at + 1 < len(STAGES)
            else there(number + 1, STAGES[0]),
            "previous": there(number, STAGES[at - 1]) if at else there(number - 1, STAGES[-1]),
            "next_situation": there(number + 1, STAGES[0]),
            "previous_situation": there(number - 1, STAGES[0]),
        }

    # --- Taking away --------------------------------------------------------------------------

    @for_its_trainers
    @in_measure
    def export_view(self, request: HttpRequest, phase: Phase, name: str) -> HttpResponse:
        """The results as a file; those of a long publication are made by the worker."""
        if name not in cohort_exports.NAMES:
            raise Http404
        return self.exported(request, phase, name)

    def exported(self, request: HttpRequest, phase: Phase, name: str) -> HttpResponse:
        """An export of a phase, or of its cohort. 404 where nothing is published."""
        if not phase.releases.exists():
            raise Http404
        assert request.user.is_authenticated
        if cohort_exports.is_long(phase):
            job = jobs.start(phase, request.user, Job.Work.EXPORT, export=name)
            if jobs.done_soon(job) and job.file is not None:
                return self._file(request, phase, name, bytes(job.file))
            return HttpResponseRedirect(self.address(phase, JOB, job.pk))
        try:
            content = cohort_exports.made(name, phase)
        except Busy:
            self.message_user(
                request,
                _("Several reports are being printed. Please ask for this one again."),
                messages.WARNING,
            )
            return HttpResponseRedirect(self.address(phase.cohort))
        return self._file(request, phase, name, content)

    def _file(self, request: HttpRequest, phase: Phase, name: str, content: bytes) -> HttpResponse:
        assert request.user.is_authenticated
        record(Event.Action.EXPORTED, request.user, f"{phase} · {name}", phase)
        return HttpResponse(
            content,
            content_type=cohort_exports.content_type(name),
            headers={
                "Content-Disposition": f'attachment; filename="{cohort_exports.filename(name)}"',
            },
        )

    # --- Long work ----------------------------------------------------------------------------

    @for_its_trainers
    def job_view(self, request: HttpRequest, phase: Phase, job_id: int) -> HttpResponse:
        """How far the work is. A POST has it tried again where it has failed."""
        job = phase.jobs.defer("file").filter(pk=job_id).first()
        if job is None:
            return HttpResponseRedirect(self.address(phase.cohort))
        if request.method == "POST":
            assert request.user.is_authenticated
            jobs.try_again(job, request.user)
            return HttpResponseRedirect(self.address(phase, JOB, job.pk))
        jobs.revive(job)
        done = job.state == Job.State.DONE
        if done and job.work == Job.Work.PUBLISH:
            return HttpResponseRedirect(self.address(phase, RESULTS))
        return self.page(request, "job", phase, job.get_work_display().capitalize(), job=job)

    @for_its_trainers
    @in_measure
    def job_file_view(self, request: HttpRequest, phase: Phase, job_id: int) -> HttpResponse:
        """The file that an export made, for its day."""
        job = jobs.kept().filter(phase=phase, pk=job_id).first()
        if job is None or job.file is None:
            raise Http404
        return self._file(request, phase, job.export, bytes(job.file))

    # --- Common -------------------------------------------------------------------------------

    def page(
        self, request: HttpRequest, name: str, of: Phase | Cohort, title: str, **context
    ) -> HttpResponse:
        """A page of ours under a cohort or one of its phases."""
        phase, cohort = (of, of.cohort) if isinstance(of, Phase) else (None, of)
        return framed(
            self,
            request,
            f"cohort/{name}",
            title,
            subtitle=str(of),
            phase=phase,
            cohort=cohort,
            threshold=releases.threshold(),
            twice=2 * releases.threshold(),
            **context,
        )

    def address(
        self, of: Cohort | Phase, name: str = "assessments_cohort_change", *more: object
    ) -> str:
        args = (of.pk,) if isinstance(of, Cohort) else (of.cohort_id, of.pk)
        return reverse(f"{self.admin_site.name}:{name}", args=(*args, *more))
