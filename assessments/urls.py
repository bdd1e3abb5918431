"""Addresses of the respondent's door. None holds a person's code, key or answer."""

from django.urls import path
from django.views.i18n import set_language

from .fhir import RELEASES
from .views import after, health, joining, steps, words

urlpatterns = [
    path("", joining.landing, name="landing"),
    path("c/<str:access>/", joining.cohort, name="cohort"),
    path("group/", joining.group, name="group"),
    path("notice/", joining.notice, name="notice"),
    path("code/", joining.start, name="start"),
    path("resume/", joining.resume, name="resume"),
    path("again/", joining.again, name="again"),
    path("sitting/", steps.where_one_was, name="sitting"),
    path("sitting/review/", steps.review, name="review"),
    path("sitting/<slug:part>/<int:number>/", steps.page, name="page"),
    path("results/", after.results, name="results"),
    path("results/answers/<int:number>/", after.explained, name="explained"),
    path("results/method/", after.workings, name="workings"),
    path("results/steps/", after.plans, name="plans"),
    path("results/readiness-report.pdf", after.report, name="report"),
    path("results/readiness-answers.json", after.answers, name="answers"),
    *(
        path(
            f"results/readiness-answers-fhir-{release.lower()}.json",
            after.answers_in_fhir,
            {"release": release},
            name=f"answers-{release.lower()}",
        )
        for release in RELEASES
    ),
    path("results/reminders/", after.reminders, name="reminders"),
    path("results/readiness-steps.ics", after.calendar_of_steps, name="calendar"),
    path("results/readiness-return.ics", after.calendar_of_return, name="calendar-return"),
    path("results/certificate/", after.certificate, name="certificate"),
    path("results/open/", joining.turn, name="turn"),
    path("results/erase/", after.erase, name="erase"),
    path("leave/", after.leave, name="leave"),
    path("privacy/", words.privacy, name="privacy"),
    path("method/", words.method, name="method"),
    path("method/sources/<int:number>/", words.sources, name="sources"),
    path("method/instrument.zip", words.instrument, name="instrument"),
    *(
        path(
            f"method/questionnaire-<str:form>-fhir-{release.lower()}.json",
            words.form_in_fhir,
            {"release": release},
            name=f"form-{release.lower()}",
        )
        for release in RELEASES
    ),
    path("strategy/", words.strategy, name="strategy"),
    path("example/", words.example, name="example"),
    path("example/lessons/", words.example, {"lessons_shown": True}, name="example-lessons"),
    path("accessibility/", words.accessibility, name="accessibility"),
    path(".well-known/security.txt", words.security_txt, name="security.txt"),
    path("language/", set_language, name="set_language"),
    path("healthz", health.live, name="live"),
    path("readyz", health.ready, name="ready"),
]
