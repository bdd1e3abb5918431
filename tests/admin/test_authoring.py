"""Authors upload, read, compare, publish and retire; nobody else gets there."""

from __future__ import annotations

import re

import pytest
from crispy_forms.utils import render_crispy_form
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.translation import override
from msgspec.structs import replace

from assessments import cohorts, instruments
from assessments.admin.authoring import SHOWN_FINDINGS, Document
from assessments.forms import PageForm
from assessments.instrument.archives import MAX_UPLOAD
from assessments.instrument.document import Instrument, encode
from assessments.models import Event, InstrumentDraft, InstrumentVersion, Phase
from assessments.questionnaire import Questionnaire
from assessments.roles import make_author
from assessments.scoring.sheet import Sheet
from tests.instrument.example import example_files, example_instrument, put, write
from tests.instrument.test_archives import zipped
from tests.instrument.test_loading import in_one

from .conftest import TODAY, browser, user

LIST = "admin:assessments_instrumentversion_changelist"
NEXT = put("instrument.yaml", "version", "2.0")
A = "scenarios/a.yaml"
VARIANT = [{"professions": ["nurse"], "stem": {"fr": "En soins, que faire", "en": "On your ward"}}]


def there(name: str, *args: object) -> str:
    return reverse(f"admin:assessments_instrumentversion_{name}", args=args)


@pytest.fixture
def author(db):
    person = user("author")
    make_author(person)
    return person


@pytest.fixture
def study(author):
    """The author's browser."""
    return browser(author)


def sent(client, content: bytes | str, name: str = "", **more):
    raw = content.encode() if isinstance(content, str) else content
    name = name or ("instrument.zip" if raw.startswith(b"PK") else "instrument.yaml")
    return client.post(there("upload"), {"document": SimpleUploadedFile(name, raw)}, **more)


def one_file(*changes) -> str:
    return write(in_one(*changes))


@pytest.fixture
def draft(study) -> InstrumentDraft:
    """A second version with a wording for nurses, uploaded."""
    sent(study, one_file(NEXT, put(A, "A1-1", "variants", VARIANT)))
    return InstrumentDraft.objects.get()


def test_a_draft_that_is_no_more_is_told(study, draft, monkeypatch):
    """Two tabs: what the other did is not undone, nor written twice in the journal."""
    stale = InstrumentDraft.objects.get()
    study.post(there("discard", f"d{draft.pk}"))
    monkeypatch.setattr("assessments.admin.authoring.found", lambda ref: Document(stale))
    for page in ("publish", "discard"):
        stale.pk = draft.pk
        answer = study.post(there(page, f"d{draft.pk}"), follow=True)
        assert answer.redirect_chain == [(reverse(LIST), 302)]
        assert "published or discarded in the meantime" in answer.text
    assert InstrumentVersion.objects.count() == 0
    assert [event.action for event in Event.objects.all()] == ["discarded", "uploaded"]


def test_a_draft_that_breaks_a_rule_made_since_is_not_published(study, draft):
    broken = replace(instruments.instrument_of_draft(draft), authors=())
    InstrumentDraft.objects.update(document=encode(broken))
    answer = study.post(there("publish", f"d{draft.pk}"), follow=True)
    assert "Rules were added since" in answer.text
    assert not InstrumentVersion.objects.exists()


def test_an_address_that_names_no_version_leads_home(study, version):
    address = there("change", "a/b")
    assert study.get(address).status_code == 302
    assert study.get(there("change", version.pk)).url == there("document", f"v{version.pk}")


# Doors

DOORS = {
    "upload": (),
    "document": ("d1",),
    "item": ("d1", "scenarios", "A1-1", "en", "-"),
    "compare": ("d1", "v1"),
    "publish": ("d1",),
    "discard": ("d1",),
    "retire": ("v1",),
}


@pytest.fixture
def doors(version, draft) -> dict[str, str]:
    def real(ref: object) -> object:
        return {"d1": f"d{draft.pk}", "v1": f"v{version.pk}"}.get(str(ref), ref)

    return {name: there(name, *map(real, args)) for name, args in DOORS.items()}


def test_every_page_is_behind_a_door_that_is_tried(doors):
    from assessments.admin import authoring

    ours = {
        value for name, value in vars(authoring).items() if name.isupper() and "_" in str(value)
    }
    assert {f"assessments_instrumentversion_{name}" for name in DOORS} == ours - {
        authoring.AUTHORING
    }


@pytest.mark.parametrize("door", DOORS)
def test_neither_strangers_nor_trainers_get_in(doors, desk, door):
    clerk = browser(user("clerk", is_staff=True))
    nobody = browser()
    for method in ("get", "post"):
        answer = getattr(nobody, method)(doors[door])
        assert (answer.status_code, answer.url.split("?")[0]) == (302, reverse("admin:login"))
        for person in (desk, clerk):
            assert getattr(person, method)(doors[door]).status_code == 403
    assert InstrumentDraft.objects.count() == 1
    assert InstrumentVersion.objects.get().retired_on is None


@pytest.mark.parametrize("door", DOORS)
def test_authors_and_superusers_get_in(doors, study, operator, door):
    for person in (study, browser(operator)):
        assert person.get(doors[door]).status_code == 200


def test_authors_reach_no_cohort(study, phase):
    for name in ("changelist", "add"):
        assert study.get(reverse(f"admin:assessments_cohort_{name}")).status_code == 403
    one = reverse("admin:assessments_cohort_change", args=(phase.cohort_id,))
    assert study.get(one).status_code == 403
    results = reverse("admin:assessments_cohort_results", args=(phase.cohort_id, phase.pk))
    assert study.get(results).status_code == 403
    assert study.get(reverse("admin:assessments_event_changelist")).status_code == 403


def test_trainers_do_not_see_the_list(desk, version):
    assert desk.get(reverse(LIST)).status_code == 403


@pytest.mark.parametrize("ref", ["v999", "d999", "x1", "v", "v-1", "v1a", "v" + "9" * 30, "v²"])
def test_what_is_not_there_is_not_found(study, version, ref):
    assert study.get(there("document", ref)).status_code == 404


def test_what_the_document_does_not_hold_is_not_found(study, draft):
    ref = f"d{draft.pk}"
    for part, code, language, profession in (
        ("scenarios", "Z9", "en", "-"),
        ("sources", "study-2021", "en", "-"),
        ("scenarios", "A1-1", "de", "-"),
        ("scenarios", "A1-1", "en", "physician"),
        ("context", "setting", "en", "nurse"),
    ):
        address = there("item", ref, part, code, language, profession)
        assert study.get(address).status_code == 404


# Uploading


def test_a_valid_folder_becomes_a_draft(study, author):
    answer = sent(study, zipped({f"top/{name}": text for name, text in example_files().items()}))
    draft = InstrumentDraft.objects.get()
    assert (answer.status_code, answer.url) == (302, there("document", f"d{draft.pk}"))
    assert instruments.instrument_of_draft(draft) == example_instrument()
    assert (str(draft), draft.uploaded_by) == ("example 1.0", author)
    assert str(Event.objects.get()) == "draft of the instrument uploaded · example 1.0"
    assert not InstrumentVersion.objects.exists()


def test_a_single_file_becomes_a_draft(study):
    sent(study, one_file(), "anything.yml")
    assert instruments.instrument_of_draft(InstrumentDraft.objects.get()) == example_instrument()


def test_the_same_twice_is_one_draft(study):
    for _ in range(2):
        sent(study, one_file())
    assert (InstrumentDraft.objects.count(), Event.objects.count()) == (1, 1)


def test_what_is_published_is_no_draft(study, version):
    files = example_files(("A", "B"))
    answer = sent(study, zipped(files))
    assert answer.url == there("document", f"v{version.pk}")
    assert not InstrumentDraft.objects.exists()


def cells(page) -> list[list[str]]:
    rows = re.findall(r"<tr>(<td.*?)</tr>", page.text)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]


def test_every_finding_is_told_with_its_place_and_nothing_is_stored(study):
    files = {
        **example_files(),
        A: write([]),
        "extra.yaml": "a: 1",
        "strategy.yaml": "title: *x",
    }
    page = sent(study, zipped(files))
    assert page.status_code == 422
    assert cells(page) == [
        ["extra.yaml", "–", "–", "No such file belongs to an instrument"],
        ["strategy.yaml", "–", "–", "Line 1: anchors and aliases are not allowed"],
    ]
    assert "This instrument is refused whole: nothing was stored." in page.text
    assert '<a href="#findings">2 findings.</a>' in page.text
    assert not InstrumentDraft.objects.exists()
    assert not Event.objects.exists()


def test_findings_name_item_and_field(study):
    page = sent(study, one_file(put(A, "A1-1", "options", "a", "credit", 2)))
    assert cells(page)[0] == [
        "instrument.yaml",
        "scenarios.A1-1",
        "options.a.credit",
        "The credit must be 0, 0.5 or 1; found 2.0",
    ]


def test_a_script_is_refused_and_shown_as_text(study):
    script = "What now <script>alert(1)</script>"
    page = sent(study, one_file(put(A, "A1-1", "stem", "en", script)))
    assert [row[2] for row in cells(page)] == ["stem.en"]
    assert "What now &lt;script&gt;" in page.text
    assert "<script>alert" not in page.text
    in_a_key = sent(study, one_file(put("instrument.yaml", "<img src=x>", 1)))
    assert "&lt;img src=x&gt;" in in_a_key.text
    assert "<img src=x" not in in_a_key.text


def test_a_hidden_turn_of_direction_is_refused_and_not_shown(study):
    page = sent(study, one_file().replace("what do you do", "what \u202edo you do", 1))
    ((file, item, field, message),) = cells(page)
    assert (file, item, field) == ("instrument.yaml", "–", "–")
    assert re.fullmatch(r"Line \d+: control, invisible or private-use character U\+202E", message)
    assert "\u202e" not in page.text


def test_many_findings_are_told_in_part(study):
    page = sent(study, "".join(f"x{number}: 1\n" for number in range(2000)))
    assert len(cells(page)) == SHOWN_FINDINGS
    assert f"The first {SHOWN_FINDINGS} of 20" in page.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 broken", "This is neither a ZIP archive"),
        (zipped({"../instrument.yaml": "a: 1"}), "This name leads out of the folder"),
        (zipped({"instrument.yaml": "#" * 1_500_000}), "refused as a ZIP bomb"),
        (b"a: &x [1]\nb: [*x, *x]", "anchors and aliases are not allowed"),
    ],
)
def test_what_is_broken_or_malicious_is_refused(study, content, said):
    page = sent(study, content)
    assert page.status_code == 422
    assert said in page.text
    assert not InstrumentDraft.objects.exists()


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("instrument.yaml", True),
        ("INSTRUMENT.YML", True),
        ("instrument.zip", False),
        ("instrument.yaml.exe", False),
        ("instrument", False),
    ],
)
def test_a_file_is_what_its_name_says(study, name, taken):
    page = sent(study, one_file(), name)
    assert page.status_code == (302 if taken else 422)
    assert InstrumentDraft.objects.exists() is taken
    archive = sent(study, zipped({"instrument.yaml": one_file()}), "instrument.yaml")
    assert "This is neither a ZIP archive" in archive.text


@pytest.mark.parametrize(
    ("size", "status", "said"),
    [
        (MAX_UPLOAD + 1, 422, "This file is too large: 5 MB at most."),
        (settings.FILE_UPLOAD_MAX_MEMORY_SIZE + 1, 413, "a file 5 MB"),
    ],
)
def test_what_is_too_large_is_said_to_be(study, size, status, said):
    page = sent(study, b"x" * size)
    assert page.status_code == status
    assert said in page.text
    assert not InstrumentDraft.objects.exists()


def test_no_file_is_said(study):
    page = study.post(there("upload"), {})
    assert page.status_code == 422
    assert "Choose a file." in page.text
    empty = sent(study, b"")
    assert empty.status_code == 422


def test_an_upload_never_reaches_the_disk():
    assert settings.FILE_UPLOAD_HANDLERS == [
        "django.core.files.uploadhandler.MemoryFileUploadHandler"
    ]


def test_findings_are_in_the_readers_language(study):
    page = sent(study, one_file(put(A, "A1-1", "nature", 1)), headers={"accept-language": "fr"})
    assert 'lang="fr"' in page.text
    assert "Doit être" in page.text


# Reading


def test_the_list_shows_drafts_and_versions(study, draft, version):
    page = study.get(reverse(LIST))
    assert there("document", f"d{draft.pk}") in page.text
    assert str(draft) in page.text
    assert "In service: example 1.0." in page.text
    one = study.get(there("change", version.pk))
    assert one.url == there("document", f"v{version.pk}")


def test_a_draft_shows_every_item(study, draft):
    page = study.get(there("document", f"d{draft.pk}"))
    held = instruments.instrument_of_draft(draft)
    for part, items in (
        ("scenarios", held.scenarios),
        ("self-ratings", held.self_ratings),
        ("context", held.context),
    ):
        for item in items:
            assert there("item", f"d{draft.pk}", part, item.code, "en", "-") in page.text


def section_of(html: str) -> str:
    (found,) = re.findall(r'<section class="scenario" id="q-A1-1".*?</section>', html, re.DOTALL)
    return found


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_situation_is_shown_as_it_is_asked(study, draft, language):
    """The markup of the question is that of the respondents' page; the key stands apart."""
    held = instruments.instrument_of_draft(draft)
    asked = Questionnaire(held, "A")
    with override(language):
        walked = PageForm(
            instrument=held,
            page=asked.page("scenarios", 1),
            sheet=Sheet(),
            numbers=asked.numbers,
        )
        as_asked = section_of(render_crispy_form(walked))
    page = study.get(there("item", f"d{draft.pk}", "scenarios", "A1-1", language, "-"))
    assert section_of(page.text) == as_asked
    _before, _mark, apart = page.text.partition('<div class="apart"')
    item = held.scenarios[0]
    for text in (*(option.rationale for option in item.options), item.explanation):
        assert text[language] in apart
        assert text[language] not in _before
    assert "Author A. A study. Journal, 2021." in apart


def test_a_profession_has_its_own_words(study, draft):
    common, nurses = (
        study.get(there("item", f"d{draft.pk}", "scenarios", "A1-1", "en", profession))
        for profession in ("-", "nurse")
    )
    stem = re.compile(r'<p class="stem"[^>]*>(.*?)</p>')
    assert stem.findall(common.text) == ["A1-1: what do you do?"]
    assert stem.findall(nurses.text) == ["On your ward"]


@pytest.mark.parametrize(("part", "code"), [("self-ratings", "A1-self"), ("context", "setting")])
def test_other_questions_are_shown_without_a_key(study, draft, part, code):
    page = study.get(there("item", f"d{draft.pk}", part, code, "fr", "-"))
    assert f'id="q-{code}"' in page.text
    assert 'class="apart"' not in page.text


def test_a_comparison_tells_what_changed_and_what_it_breaks(study, version):
    before = example_instrument()
    instruments.publish(replace(before, version="0.9"))
    sent(
        study,
        one_file(
            NEXT,
            put(A, "A1-1", "stem", "en", "A1-1: what would you do?"),
            put(A, "A2-1", "explanation", "en", "Why, for all."),
        ),
    )
    old, new = InstrumentVersion.objects.get(version="0.9"), InstrumentDraft.objects.get()
    page = study.get(there("compare", f"d{new.pk}", f"v{old.pk}"))
    assert "24 situations are in both; 23 of them can still be compared." in page.text
    assert "<dd>A1-1: what <del>do</del><ins>would</ins> you do?</dd>" in page.text
    assert page.text.count("no longer comparable</span>") == 1
    assert 'id="scenarios-A2-1"' in page.text
    same = study.get(there("compare", f"d{new.pk}", f"d{new.pk}"))
    assert "Nothing has changed." in same.text


# Acting


def test_publishing_is_asked_then_done(study, draft, version, author):
    ask = study.get(there("publish", f"d{draft.pk}"))
    assert "Publishing is final" in ask.text
    assert InstrumentVersion.objects.count() == 1
    done = study.post(there("publish", f"d{draft.pk}"))
    made = InstrumentVersion.objects.get(version="2.0")
    assert done.url == there("document", f"v{made.pk}")
    assert instruments.current() == made
    assert (made.digest, made.published_on) == (draft.digest, TODAY)
    assert not InstrumentDraft.objects.exists()
    last = Event.objects.first()
    assert (last.action, last.actor, last.subject) == ("published", author, "example 2.0")


def test_a_number_already_taken_is_not_published(study, version):
    sent(study, one_file())  # another content under 1.0
    taken = InstrumentDraft.objects.get()
    page = study.get(there("document", f"d{taken.pk}"))
    assert "give this one a new version number" in page.text
    assert there("publish", f"d{taken.pk}") not in page.text
    study.post(there("publish", f"d{taken.pk}"))
    assert InstrumentVersion.objects.get().digest == version.digest
    assert InstrumentDraft.objects.count() == 1


def test_discarding_is_asked_then_done(study, draft):
    study.get(there("discard", f"d{draft.pk}"))
    assert InstrumentDraft.objects.count() == 1
    assert study.post(there("discard", f"d{draft.pk}")).url == reverse(LIST)
    assert not InstrumentDraft.objects.exists()
    assert Event.objects.first().action == "discarded"


def test_retiring_is_asked_then_done_once(study, version, today):
    there_ = there("retire", f"v{version.pk}")
    assert "A retired version does not come back." in study.get(there_).text
    assert instruments.current() == version
    study.post(there_)
    version.refresh_from_db()
    assert version.retired_on == TODAY
    assert instruments.current() is None
    assert Event.objects.filter(action="retired").count() == 1
    today(TODAY.replace(month=12))
    assert study.post(there_).status_code == 302
    version.refresh_from_db()
    assert version.retired_on == TODAY
    assert Event.objects.filter(action="retired").count() == 1


def second(version: InstrumentVersion) -> InstrumentVersion:
    held: Instrument = instruments.instrument_of(version.digest)
    return instruments.publish(replace(held, version="2.0"))[0]


def test_what_has_opened_keeps_a_retired_version_and_plans_take_the_current(
    study, phase, trainer, version, today
):
    later = Phase(cohort=phase.cohort, kind="after", opens_on=TODAY.replace(month=12))
    cohorts.plan(later, trainer)
    latest = second(version)
    study.post(there("retire", f"v{version.pk}"))
    for each in (phase, later):
        each.refresh_from_db()
        assert each.version == version
    cohorts.plan(phase, trainer)
    cohorts.plan(later, trainer)
    assert (phase.version, later.version) == (version, latest)


def test_a_published_version_never_changes_but_that_it_is_retired_once(version):
    digest = version.digest
    for field, value in (("code", "x"), ("version", "x"), ("document", b"{}"), ("digest", "0")):
        version = InstrumentVersion.objects.get()
        setattr(version, field, value)
        with pytest.raises(PermissionDenied):
            version.save()
    version = InstrumentVersion.objects.get()
    version.retired_on = TODAY
    version.save(update_fields=["retired_on"])
    for value in (None, TODAY.replace(day=1)):
        version.retired_on = value
        with pytest.raises(PermissionDenied):
            version.save()
    with pytest.raises(PermissionDenied):
        version.delete()
    stored = InstrumentVersion.objects.get()
    assert (stored.digest, stored.retired_on) == (digest, TODAY)
