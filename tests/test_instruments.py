"""Loading and publishing an instrument from the shell."""

import shutil
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from assessments.instrument.document import encode
from assessments.instruments import current, instrument_of
from assessments.models import Event, InstrumentVersion

from .conftest import SEEDS


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(SEEDS, tmp_path / "instrument")


def load(folder) -> str:
    out = StringIO()
    call_command("load_instrument", folder, stdout=out)
    return out.getvalue()


def replace(folder, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.django_db
def test_our_instrument_loads_and_is_published(folder):
    assert "is published" in load(folder)
    version = current()
    instrument = instrument_of(version.digest)
    assert encode(instrument) == bytes(InstrumentVersion.objects.get().document)
    assert len(instrument.self_ratings) == 16
    assert len(instrument.scenarios_of("A")) == 24
    assert Event.objects.get().action == Event.Action.PUBLISHED


@pytest.mark.django_db
def test_loading_the_same_again_changes_nothing(folder):
    load(folder)
    before = InstrumentVersion.objects.values().get()
    assert "nothing has changed" in load(folder)
    assert InstrumentVersion.objects.values().get() == before
    assert Event.objects.count() == 1


@pytest.mark.django_db
def test_a_published_version_never_changes(folder):
    load(folder)
    before = InstrumentVersion.objects.values().get()
    replace(folder, "instrument.yaml", "operational: 55", "operational: 50")
    with pytest.raises(CommandError, match=r"nouveau numéro|new version"):
        load(folder)
    assert InstrumentVersion.objects.values().get() == before


@pytest.mark.django_db
def test_a_new_version_is_served_from_then_on(folder):
    load(folder)
    replace(folder, "instrument.yaml", '"2026.2"', '"2026.9"')
    load(folder)
    assert current().version == "2026.9"
    assert InstrumentVersion.objects.count() == 2


@pytest.mark.django_db
def test_a_broken_folder_is_refused_whole_and_says_where(folder):
    replace(folder, "scenarios/a.yaml", "credit: 1\n", "credit: 0.25\n")
    replace(folder, "self_ratings.yaml", "sub_competency: A1", "sub_competency: Z9")
    with pytest.raises(CommandError) as refused:
        load(folder)
    said = str(refused.value)
    assert "scenarios/a.yaml: A1-1" in said
    assert "self_ratings.yaml: SR-A1" in said
    assert not InstrumentVersion.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match=r"instrument\.yaml"):
        load(tmp_path / "nowhere")


@pytest.mark.django_db
def test_the_journal_is_append_only(folder):
    load(folder)
    event = Event.objects.get()
    with pytest.raises(PermissionDenied):
        event.save()
    with pytest.raises(PermissionDenied):
        event.delete()


def export(*arguments) -> str:
    out = StringIO()
    call_command("export_instrument", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_a_published_instrument_is_written_as_the_folder_it_came_from(folder, tmp_path):
    load(folder)
    written = tmp_path / "written" / "here"
    assert export("ai-readiness", written) == (f"{current()} is written in {written} (13 files).\n")
    assert "nothing has changed" in load(written)


@pytest.mark.django_db
def test_the_version_to_write_can_be_named(folder, tmp_path):
    load(folder)
    first = current()
    replace(folder, "instrument.yaml", f'version: "{first.version}"', 'version: "9"')
    load(folder)
    export("ai-readiness", "--version", first.version, tmp_path / "first")
    export("ai-readiness", tmp_path / "last")
    assert "nothing has changed" in load(tmp_path / "first")
    assert 'version: "9"\n' in (tmp_path / "last/instrument.yaml").read_text(encoding="utf-8")


@pytest.mark.django_db
def test_an_unknown_instrument_or_version_is_not_written(folder, tmp_path):
    load(folder)
    for arguments in (["other"], ["ai-readiness", "--version", "0"]):
        with pytest.raises(CommandError, match="No such version"):
            export(*arguments, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.django_db
def test_nothing_is_written_over_other_files(folder, tmp_path):
    load(folder)
    before = sorted(path.name for path in folder.rglob("*"))
    with pytest.raises(CommandError, match="not empty"):
        export("ai-readiness", folder)
    assert sorted(path.name for path in folder.rglob("*")) == before
