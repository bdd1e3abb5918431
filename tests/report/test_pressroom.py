"""A web process has its documents printed by another, which may fail, end or be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from assessments import press
from assessments.pressroom import NICE, PressRoom, PrintingFailed
from tests.conftest import ROOT

from .test_press import EVERY_ELEMENT, contents

pytest.importorskip("weasyprint", reason="WeasyPrint needs Pango", exc_type=OSError)
pytestmark = [
    pytest.mark.xdist_group("reports"),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc, which tells of it"),
]


@pytest.fixture(scope="module")
def a_room() -> Iterator[PressRoom]:
    """Another one takes a second or two."""
    room = PressRoom()
    yield room
    room.close()


@pytest.fixture
def room(a_room, monkeypatch) -> PressRoom:
    monkeypatch.setattr(press, "_printer", a_room.printed)
    return a_room


def state_of(process: int) -> list[str]:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def seconds_of(process: int) -> float:
    """Of a processor."""
    said = state_of(process)
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")


def wait_until(holds: Callable[[], object]) -> None:
    for _try in range(600):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it never comes")


def test_it_prints_what_the_web_process_would(room):
    here = press.printed(EVERY_ELEMENT, ["filed"])
    assert contents(press.pdf(EVERY_ELEMENT, "filed")) == contents(here)


def test_it_stands_back(room):
    press.pdf(EVERY_ELEMENT)
    assert int(state_of(room.process.pid)[16]) == os.nice(0) + NICE


def test_what_a_document_leaves_behind_is_tidied_up(room):
    def pages() -> int:
        return int(Path(f"/proc/{room.process.pid}/statm").read_text().split()[1])

    for _each in range(3):
        press.pdf(EVERY_ELEMENT)
    before = pages()
    for _each in range(6):
        press.pdf(EVERY_ELEMENT)
    assert pages() - before < before / 20


def test_a_document_that_cannot_be_printed_spoils_nothing(capfd):
    room = PressRoom()
    with pytest.raises(PrintingFailed):
        room.printed(EVERY_ELEMENT, ["no such stylesheet"])
    # The log tells where, and not what.
    said = capfd.readouterr().err
    assert "A document could not be printed." in said
    assert "no such stylesheet" not in said
    assert room.printed(EVERY_ELEMENT, []).startswith(b"%PDF-")
    room.close()


def test_the_next_document_is_printed_after_it_was_killed(room):
    press.pdf(EVERY_ELEMENT)
    before = room.process.pid
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: room.process.poll() is not None)
    assert press.pdf(EVERY_ELEMENT).startswith(b"%PDF-")
    assert room.process.pid != before


def test_killed_at_its_work_it_is_busy(room):
    """And no document is half a document, nor another's."""
    long = EVERY_ELEMENT.replace("<hr>", "<hr>" + "<p>Once more, and once more.</p>" * 4000)
    press.pdf(EVERY_ELEMENT)
    before = seconds_of(room.process.pid)

    def murder() -> None:
        wait_until(lambda: seconds_of(room.process.pid) > before + 0.3)
        os.kill(room.process.pid, signal.SIGKILL)

    murderer = threading.Thread(target=murder)
    murderer.start()
    with pytest.raises(press.Busy):
        press.pdf(long)
    murderer.join()
    assert contents(press.pdf(EVERY_ELEMENT)) == contents(press.printed(EVERY_ELEMENT, []))


def test_what_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr("assessments.pressroom.LONGEST", 0.05)
    room = PressRoom()
    room.open()
    before = room.process
    with pytest.raises(press.Busy):  # it is not even ready
        room.printed(EVERY_ELEMENT, [])
    assert before.poll() is not None
    monkeypatch.undo()
    assert room.printed(EVERY_ELEMENT, []).startswith(b"%PDF-")
    room.close()


def test_what_was_broken_off_is_nobody_elses_answer(room):
    press.pdf(EVERY_ELEMENT)
    before = room.process.pid

    class BrokenOff(BaseException):
        pass

    def broken_off(_line):
        raise BrokenOff

    theirs = EVERY_ELEMENT.replace("One", "Somebody else")
    broken = mock.patch("multiprocessing.connection.Connection.recv_bytes", broken_off)
    with broken, pytest.raises(BrokenOff):
        press.pdf(theirs)
    assert contents(press.pdf(EVERY_ELEMENT)) == contents(press.printed(EVERY_ELEMENT, []))
    assert room.process.pid != before


def test_without_room_for_it_the_next_one_tries_again():
    room = PressRoom()
    full = mock.patch.object(subprocess, "Popen", side_effect=BlockingIOError)
    with full, pytest.raises(press.Busy):
        room.printed(EVERY_ELEMENT, [])
    assert room.printed(EVERY_ELEMENT, []).startswith(b"%PDF-")
    room.close()


def test_a_killed_one_leaves_no_file_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    room = PressRoom()
    room.printed(EVERY_ELEMENT, [])
    assert list(tmp_path.rglob("weasyprint-*"))
    os.kill(room.process.pid, signal.SIGKILL)
    wait_until(lambda: room.process.poll() is not None)
    room.open()
    assert len(list(tmp_path.iterdir())) == 1  # that of the next one
    room.close()
    assert not list(tmp_path.iterdir())


def web_process(folder: Path) -> subprocess.Popen[bytes]:
    """One that has opened its press room, whose folders are in this one."""
    return subprocess.Popen(
        [sys.executable, "-c", WEB],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def test_nor_does_one_whose_web_process_ends(tmp_path):
    with web_process(tmp_path) as web:
        assert web.stdout is not None
        process = int(web.stdout.readline())
        assert list(tmp_path.iterdir())
        web.communicate()
    assert not Path(f"/proc/{process}").exists()
    assert not list(tmp_path.iterdir())


def test_it_ends_with_the_web_process(tmp_path):
    """However that one ends; and takes its fonts along."""
    with web_process(tmp_path) as web:
        assert web.stdout is not None
        process = int(web.stdout.readline())
        assert state_of(process)
        web.kill()
    wait_until(lambda: not Path(f"/proc/{process}").exists() or state_of(process)[0] == "Z")
    assert not list(tmp_path.iterdir())


WEB = """
import sys
from assessments.pressroom import PressRoom
room = PressRoom()
room.open()
print(room.process.pid, flush=True)
sys.stdin.read()
"""


def test_what_is_sent_to_end_a_service_is_for_the_web_process(room):
    """Which sees its last requests off, and may still have a document printed."""
    press.pdf(EVERY_ELEMENT)
    before = room.process.pid
    for end in (signal.SIGINT, signal.SIGTERM):
        os.kill(before, end)
    assert press.pdf(EVERY_ELEMENT).startswith(b"%PDF-")
    assert room.process.pid == before
