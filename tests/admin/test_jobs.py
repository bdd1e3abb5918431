"""Long work is followed on a page of its own."""

import pytest
from django.urls import reverse

from assessments.models import Job, Phase

from .conftest import TODAY
from .markup import read


@pytest.fixture
def make(phase, trainer):
    def make(state: str, *, export: str = "", percent: int = 0) -> Job:
        work = Job.Work.EXPORT if export else Job.Work.PUBLISH
        if work == Job.Work.PUBLISH:
            Phase.objects.update(closed_on=TODAY)
        return Job.objects.create(
            phase=phase,
            actor=trainer,
            work=work,
            export=export,
            state=state,
            percent=percent,
            language="en",
            file=b"figures" if export and state == "done" else None,
        )

    return make


def address(door: str, phase: Phase, *more: object) -> str:
    return reverse(f"admin:assessments_cohort_{door}", args=(phase.cohort_id, phase.pk, *more))


@pytest.mark.parametrize(
    ("state", "percent", "said", "bar"),
    [
        ("waiting", 0, "Waiting: it begins within a few seconds.", 'value="0">0<'),
        ("running", 42, "In progress: 42% done.", 'value="42">42<'),
    ],
)
def test_the_page_says_how_far_it_is_with_or_without_scripts(
    desk, phase, make, state, percent, said, bar
):
    job = make(state, percent=percent)
    there = address("job", phase, job.pk)
    for page in (read(desk.get(there)), read(desk.get(address("results", phase)))):
        assert said in page.text
        assert f'<progress id="done" max="100" {bar}/progress>' in page.source
        assert page.source.count(f'href="{there}"') == 1  # to look again
        assert 'role="status"' in page.source
        assert "js/progress.js" in page.source
        assert not page.scripted
    assert "Fewer than 11" not in read(desk.get(address("results", phase))).text


def test_a_worker_that_is_missing_is_whoever_runs_the_services_to_start(desk, phase, make):
    page = read(desk.get(address("job", phase, make("waiting").pk)))
    assert "whoever runs the service should check that the worker is started" in page.text


def test_what_failed_can_be_tried_again(desk, phase, make):
    job = make("failed", percent=12)
    there = address("job", phase, job.pk)
    page = read(desk.get(there))
    assert "This did not succeed." in page.text
    assert "the phase stays closed and its answers wait" in page.text
    assert f'<form method="post" action="{there}">' in page.source
    assert "data-goes-on" not in page.source
    again = read(desk.post(there, follow=True))
    assert Job.objects.get().state == Job.State.WAITING
    assert "Waiting: it begins within a few seconds." in again.text
    assert "data-goes-on" in again.source


def test_a_finished_export_is_there_to_be_taken(desk, phase, make):
    job = make("done", export="results.csv", percent=100)
    page = read(desk.get(address("job", phase, job.pk)))
    file = address("job_file", phase, job.pk)
    assert f'href="{file}"' in page.source
    assert "It is kept for one day." in page.text
    assert "data-goes-on" not in page.source
    assert desk.get(file).content == b"figures"


def test_a_finished_publication_is_read_at_once(desk, phase, make):
    job = make("done", percent=100)
    assert desk.get(address("job", phase, job.pk)).url == address("results", phase)
