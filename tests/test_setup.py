"""Setting up says in one line what the system lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def bare(tmp_path):
    """A checkout with nothing but the script and the locks, on a machine with few programs."""
    (tmp_path / ".ci").mkdir()
    for name in (".ci/environment", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "dirname", "cksum", "cat", "rm", "ls"):
        (programs / name).symlink_to(shutil.which(name))
    return tmp_path


def run(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "bin/sh", ".ci/environment", "run"],
        cwd=checkout,
        env={"PATH": str(checkout / "bin"), "HOME": str(checkout)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def program(checkout: Path, name: str, body: str) -> Path:
    path = checkout / "bin" / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="ascii")
    path.chmod(0o755)
    return path


def test_without_python_its_package_is_named(bare):
    done = run(bare)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "sudo apt install python3 python3-venv" in done.stderr


def test_a_python_that_does_not_run_is_passed_over(bare):
    program(bare, "python3.13", "echo 'pyenv: python3.13: command not found'; exit 127")
    assert run(bare).returncode == 1


def test_without_venv_its_package_is_named(bare):
    program(bare, "python3.13", 'case "$2" in *venv*) exit 1;; *) exit 0;; esac')
    done = run(bare)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "sudo apt install python3-venv" in done.stderr


def test_an_environment_that_was_cut_short_is_made_anew(bare):
    """There is its python, and no pip yet."""
    program(bare, "whole", "exit 0")
    begun = program(bare, "begun", 'case "$2" in pip) exit 1;; *) exit 0;; esac')
    (bare / ".venv/bin").mkdir(parents=True)
    begun.rename(bare / ".venv/bin/python")
    makes = f"PATH={os.defpath}; mkdir -p .venv/bin; cp bin/whole .venv/bin/python"
    program(bare, "python3.13", f'case "$2" in venv) {makes};; *) exit 0;; esac')
    done = run(bare)
    assert done.returncode == 0, done.stderr
    assert "Making the environment" in done.stdout
    assert run(bare).stdout == ""  # it is done


def test_a_second_time_nothing_is_installed():
    done = subprocess.run(
        [ROOT / ".ci/environment", "test"], capture_output=True, text=True, check=True
    )
    assert "Installing" not in done.stdout
