"""The same attack through the trainers' browsers: every page that each of them can reach is fetched
after each event, kept, and compared with what it was.

A page may change when a block is made, once a day by counts in steps of five, and by what a trainer
does; by nothing that those who answer do. And what is not one's own is nowhere.
"""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assessments import cohort_exports, cohorts, models, releases, sittings
from assessments.admin.phase_pages import STAGES
from assessments.cohort.disclosure import K
from assessments.demonstration import simulated_sheet
from assessments.instruments import publish
from assessments.models import Cohort, Job, Release, Sitting
from assessments.qr import qr
from assessments.scoring.sheet import Sheet
from tests.admin.conftest import TODAY, browser, same_noise, today, user
from tests.conftest import AUDIT
from tests.instrument.example import example_instrument

from .real import Real
from .world import History, Phase, Response, World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("drawn_once")]
__all__ = ["same_noise", "today"]  # used by every test here

HISTORIES, EVENTS = 3 if AUDIT else 1, 10


kept_qr = cache(qr)


@pytest.fixture
def drawn_once(monkeypatch) -> None:
    """The picture of a link is as dear as a page, and the same each time."""
    monkeypatch.setattr("assessments.admin.cohort.qr", kept_qr)


# --- Every page ---------------------------------------------------------------------------------


def addresses(cohort: Cohort) -> Iterator[str]:
    """Every address of the admin under a cohort, its phases and their jobs: a page added tomorrow
    is among them, or has a parameter that is told here."""
    phases = list(cohort.phases.all())
    for pattern in admin.site._registry[Cohort].get_urls():
        takes = set(pattern.pattern.converters)
        if pattern.name is None or not takes & {"cohort_id", "object_id"}:
            continue
        for of in phases if "phase_id" in takes else [None]:
            for chosen in choices(takes, of):
                given = {"cohort_id": cohort.pk, "object_id": cohort.pk}
                given |= {"phase_id": of.pk if of else 0} | chosen
                wanted = {name: given[name] for name in takes}
                yield reverse(f"admin:{pattern.name}", kwargs=wanted)


def choices(takes: set[str], phase: models.Phase | None) -> list[dict[str, object]]:
    if "stage" in takes:
        return [{"number": number, "stage": stage} for number in (1, 24) for stage in STAGES]
    if "name" in takes:
        return [{"name": name} for name in cohort_exports.NAMES]
    if "job_id" in takes and phase is not None:
        return [{"job_id": key} for key in phase.jobs.values_list("pk", flat=True)]
    return [{}]


type Pages = dict[str, tuple[int, bytes]]


def crawl(client: Client, cohort: Cohort, *, printed: bool = False) -> Pages:
    """What a browser is given at every address, PDFs and workbooks left out unless ``printed``:
    they are made of the same tables as the other exports, and take long to make."""
    found = {}
    for address in addresses(cohort):
        if printed or not address.endswith((".pdf", ".xlsx")):
            response = client.get(address)
            assert response.status_code in {200, 302, 403, 404, 405}, address
            found[address] = response.status_code, plain(response)
    return found


def plain(response) -> bytes:
    """The content of an answer, save what is drawn for each: tokens, and the hour of a workbook."""
    content = response.content
    if content.startswith(b"PK"):
        book = zipfile.ZipFile(io.BytesIO(content))
        names = sorted(name for name in book.namelist() if not name.startswith("docProps"))
        return b"".join(map(book.read, names))
    return re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", content)


def changed(before: Pages, after: Pages) -> list[str]:
    """The addresses that both have and that do not say the same; but a history, which grows by the
    files that one takes in looking at everything. Twins compare it."""
    return [
        address
        for address in before.keys() & after.keys()
        if before[address] != after[address] and not address.endswith("/history/")
    ]


# --- Random histories --------------------------------------------------------------------------


class Web(Real):
    """People answer as people do, and phases are closed by their trainers' browsers."""

    def __init__(self, *given, browsers: list[Client]) -> None:
        super().__init__(*given)
        self.browsers = browsers
        self.closed = 0

    def sheet(self, response: Response) -> Sheet:
        sheet = simulated_sheet(self.asked.instrument, self.asked.form, 0.3, self.chance)
        return Sheet(super().sheet(response).context, sheet.self_ratings, sheet.answers)

    def close(self, phase: Phase) -> None:
        """Half of all queues are too long to be published at once."""
        long = self.chance.random() < 0.5
        self.patch.setattr(releases, "LONG", 0 if long else 2_000)
        real = self.phase(phase)
        there = reverse("admin:assessments_cohort_close", args=(real.cohort_id, real.pk))
        self.browsers[phase.cohort % len(self.browsers)].post(there)
        self.closed += 1
        phase.closed = True
        if not long:
            World.settle(self, phase)


@pytest.mark.parametrize(
    "seed",
    # On PostgreSQL one is enough: what is counted, and when, is tried there in test_database.
    [pytest.param(seed, marks=[pytest.mark.drawn] if seed else []) for seed in range(HISTORIES)],
)
def test_pages_change_with_a_block_a_day_or_a_trainer(seed, monkeypatch, trainer, stranger) -> None:
    """Two trainers, of every other group each, who lay their pages together."""
    version, _ = publish(example_instrument())
    chance = random.Random(seed)
    trainers = [trainer, stranger]
    browsers = [browser(each) for each in trainers]
    web = Web(version, trainer, random.Random(-seed), monkeypatch, browsers=browsers)
    history = History(web, chance, cohorts=3)
    for place, made in web.cohorts.items():
        made.trainers.set([trainers[place % 2]])

    def look() -> dict[str, tuple[int, bytes]]:
        found: Pages = {}
        for place, made in web.cohorts.items():
            found |= crawl(browsers[place % 2], made)
        return found

    def state() -> tuple[int, ...]:
        jobs = Job.objects.count()
        return web.revision, web.day, web.closed, len(web.phases), jobs, settled(web)

    look()
    kept, known, blocks, unmoved = look(), state(), released(), 0
    for _event in history.events(EVENTS):
        found, now, marked = look(), state(), released()
        if now == known:
            assert changed(kept, found) == []
            unmoved += 1
        elif now[1] != known[1]:
            assert (now[0], now[2:]) == (known[0], known[2:])
            for address in changed(kept, found):
                # The counts of open phases, and a day that is said; no result.
                assert address.endswith(("/change/", "/close/")), address
                numbers = re.findall(rb"at least (\d+) (?:people )?have", found[address][1])
                assert [number for number in map(int, numbers) if number % 5 and number != K] == []
        # Whatever else a page says than it did, it says of a whole block.
        assert (len(marked - blocks) >= K) == (now[0] != known[0])
        kept, known, blocks = found, now, marked
    assert unmoved >= 2
    assert Release.objects.count() == sum(len(each.releases) for each in web.phases)


def released() -> set[int]:
    return set(Sitting.objects.filter(released=True).values_list("pk", flat=True))


def settled(web: Web) -> int:
    return models.Phase.objects.exclude(settled_on=None).count()


# --- Twin histories -----------------------------------------------------------------------------
# What a page is made of, whatever keeps it: the history above is also seen on PostgreSQL.


@pytest.fixture
def twin(phase, desk, monkeypatch) -> Callable[..., list[Pages]]:
    """What the trainer sees before and after the close of a history, which is then undone."""
    # The journal tells the trainer the minute of their own acts: the same in both histories.
    minute = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: minute)

    def twin(*events: Callable[[], None], late: Callable[[], None] = lambda: None) -> list[Pages]:
        seeded = random.Random(5)
        monkeypatch.setattr(releases.secrets, "randbelow", seeded.randrange)
        with transaction.atomic():
            for event in events:
                event()
            seen = [crawl(desk, phase.cohort)]
            close = reverse("admin:assessments_cohort_close", args=(phase.cohort_id, phase.pk))
            desk.post(close)
            desk.get(reverse("admin:assessments_cohort_change", args=(phase.cohort_id,)))
            seen.append(crawl(desk, phase.cohort))
            late()
            seen.append(crawl(desk, phase.cohort))
            assert Release.objects.count() == 1
            transaction.set_rollback(True)
        return seen

    return twin


def sheets(phase: models.Phase, seed: int, people: int) -> list[Sheet]:
    chance = random.Random(seed)
    instrument = sittings.questionnaire(phase.version.digest, phase.form).instrument
    return [simulated_sheet(instrument, phase.form, 0.3, chance) for _person in range(people)]


def answered(phase: models.Phase, sheet: Sheet, *, finish: bool = True) -> Sitting:
    code = sittings.codes.new_code(sittings.codes.RESUME_LENGTH)
    sitting = sittings.open_sitting(code, version=phase.version, phase=phase, language="fr")
    packed = sittings.questionnaire_of(sitting).layout.pack(sheet)
    Sitting.objects.filter(pk=sitting.pk).update(answers=packed)
    if finish:
        sittings.finish(sitting)
    return sitting


@pytest.mark.drawn
def test_who_answered_when_is_on_no_page(phase, twin) -> None:
    """The same people in another order, from one look to the next."""
    group = sheets(phase, 1, 23)

    def in_order(order: list[Sheet]) -> Callable[[], None]:
        return lambda: [answered(phase, sheet) for sheet in order] and None

    assert twin(in_order(group)) == twin(in_order(group[::-1]))


@pytest.mark.drawn
def test_what_is_in_no_block_is_on_no_page(phase, twin) -> None:
    """Other answers of those who erased theirs, did not finish, or finished too late; and what they
    do after the close: the pages are the same to the byte."""
    group = sheets(phase, 1, 24)

    def history(others: list[Sheet], **more) -> list[Pages]:
        left: list[Sitting] = []

        def come() -> None:
            gone = answered(phase, others[0])
            left.append(answered(phase, others[1], finish=False))
            for sheet in group:
                left.append(answered(phase, sheet))
            sittings.erase(gone)

        def afterwards() -> None:
            sittings.finish(left[0])
            for sitting in left[1:4]:
                sittings.erase(sitting)

        return twin(come, late=afterwards)

    one, other = history(sheets(phase, 2, 2)), history(sheets(phase, 3, 2))
    assert one == other
    assert changed(one[1], one[2]) == []
    assert changed(one[0], one[1]) != []


@pytest.mark.drawn
def test_one_answer_in_the_block_does_reach_the_pages(phase, twin) -> None:
    """The twins would prove nothing of pages that never change."""
    group = sheets(phase, 1, 23)
    other = [*group[:-1], *sheets(phase, 9, 1)]
    one, two = (
        twin(lambda some=some: [answered(phase, sheet) for sheet in some] and None)
        for some in (group, other)
    )
    assert one[0] == two[0]
    assert one[1] != two[1]


# --- What is not one's own -----------------------------------------------------------------------


@pytest.fixture
def full(phase, desk, answer, trainer) -> models.Phase:
    """A published phase, with another open one, a job and an export."""
    answer(phase, 24)
    desk.post(reverse("admin:assessments_cohort_close", args=(phase.cohort_id, phase.pk)))
    cohorts.plan(models.Phase(cohort=phase.cohort, kind="after", opens_on=TODAY), trainer)
    Job.objects.create(
        phase=phase,
        actor=trainer,
        work=Job.Work.EXPORT,
        export="results.json",
        language="en",
        state=Job.State.DONE,
        file=b'{"secret": "figures of Ward 12"}',
    )
    phase.refresh_from_db()
    return phase


def secrets_of(phase: models.Phase) -> list[str]:
    """What only its trainers may see: the group's name and code, its figures by their digest."""
    code = phase.cohort.code
    return [
        phase.cohort.name,
        code,
        f"{code[:4]}-{code[4:]}",
        Release.objects.get().digest,
        "finished and are counted here",
        "have started",
    ]


def told(content: bytes, phase: models.Phase) -> list[str]:
    return [secret for secret in secrets_of(phase) if secret.encode() in content]


def test_its_trainer_is_shown_all_of_it(full, desk) -> None:
    """What others must not see is there to be seen."""
    pages = crawl(desk, full.cohort)
    together = b"".join(content for _status, content in pages.values())
    assert told(together, full) == secrets_of(full)
    assert sum(status == 200 for status, _content in pages.values()) >= 12


@pytest.mark.parametrize("who", ["nobody", "clerk", "stranger"])
def test_no_address_under_a_cohort_tells_a_stranger(full, stranger, who) -> None:
    """Fetched, sent to, and followed wherever they lead."""
    person = {"nobody": None, "stranger": stranger}.get(who) or (
        user("clerk", is_staff=True) if who == "clerk" else None
    )
    client, before = browser(person), snapshot()
    tried = 0
    for address in list(addresses(full.cohort)):
        for send in (client.get, client.post, client.head, client.put):
            response = send(address, follow=True)
            assert response.redirect_chain or response.status_code in {403, 404, 405}, address
            assert told(response.content, full) == [], address
            tried += 1
    assert tried > 80
    assert snapshot() == before


def test_whoever_runs_the_service_is_shown_no_result(full, operator) -> None:
    """A superuser without appointment sees names and counts, and is refused every other page."""
    before = snapshot()
    figures = Release.objects.get().digest.encode()
    for address in list(addresses(full.cohort)):
        response = browser(operator).get(address)
        assert figures not in response.content, address
        if "/phases/" in address or address.endswith(".pdf"):
            assert response.status_code in {403, 405}, address
    assert snapshot() == before


def snapshot() -> list[object]:
    """What a stranger's requests must leave as it was."""
    return [
        list(models.Phase.objects.order_by("pk").values()),
        list(Cohort.objects.order_by("pk").values("name", "code", "trainers")),
        models.Release.objects.count(),
        # That they were refused is kept.
        models.Event.objects.exclude(action="refused").count(),
        list(Job.objects.order_by("pk").values("pk", "state")),
    ]


LISTED = "admin:assessments_cohort_changelist"
SEARCHES = [
    "q=Ward",
    "name=Ward 12",
    "name__startswith=W",
    "code__startswith=A",
    "trainers__username=trainer",
    "trainers__password__startswith=md5",
    "phases__releases__digest__startswith=a",
    "phases__releases__document__contains=levels",
    "phases__daily_counts__finished_at_least__gt=0",
    "phases__jobs__file__contains=secret",
    "phases__sitting__answers__isnull=False",
    "sitting__answers__isnull=False",
    "answers__isnull=False",
    "_to_field=code",
    "_to_field=name",
    "_popup=1&_to_field=id",
    "o=-3.1",
    "all=",
    "_facets=True",
]


def test_no_search_tells_a_stranger(full, stranger) -> None:
    client = browser(stranger)
    for query in SEARCHES:
        response = client.get(f"{reverse(LISTED)}?{query}", follow=True)
        assert told(response.content, full) == [], query


def test_no_search_asks_questions_of_what_is_published(full, desk) -> None:
    """Not even of one's own group: a filter that answers yes or no is a figure without noise."""
    asking = [each for each in SEARCHES if each.count("__") > 2]
    assert len(asking) >= 5
    for query in asking:
        response = desk.get(f"{reverse(LISTED)}?{query}")
        assert response.status_code in {302, 400}, query
        assert told(response.content, full) == [], query


def test_nothing_of_a_cohort_is_copied_or_completed_for_a_stranger(full, stranger) -> None:
    client = browser(stranger)
    add, key = reverse("admin:assessments_cohort_add"), full.cohort_id
    for query in (f"copy={key}", f"_changelist_filters=pk%3D{key}", f"name__in={key}"):
        assert told(client.get(f"{add}?{query}").content, full) == []
    completing = reverse("admin:autocomplete")
    for model, field in (("cohort", "trainers"), ("phase", "cohort"), ("release", "phase")):
        query = f"app_label=assessments&model_name={model}&field_name={field}&term=W"
        assert client.get(f"{completing}?{query}").status_code in {403, 404}
    assert told(client.get(reverse("admin:index")).content, full) == []
    assert told(client.get(reverse("admin:app_list", args=("assessments",))).content, full) == []


def test_a_former_trainer_is_a_stranger(full, trainer, stranger) -> None:
    full.cohort.trainers.add(stranger)
    client = browser(trainer)
    client.post(reverse("admin:assessments_cohort_leave", args=(full.cohort_id,)))
    assert list(full.cohort.trainers.all()) == [stranger]
    for address in list(addresses(full.cohort)):
        response = client.get(address, follow=True)
        # What they did themselves stays in the list of what they did.
        assert set(told(response.content, full)) <= {full.cohort.name}, address
