"""Every page of the catalogue is valid HTML, as the Nu checker has it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

from .catalogue import stocks

pytestmark = pytest.mark.django_db

PACKAGE = "vnu-jar@26.9.27"
SHA256 = "5970d3ffca91a627cf0965e5d91bb2e4242307c29292998de0b419d6a901b2b7"
"""The Nu checker, as npm packs it."""
SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Compiled quickly rather than well: half the work, for one reading of two hundred pages."""
CACHE = ROOT / "var" / "vnu"


@pytest.fixture(scope="session")
def checker(tmp_path_factory) -> Path:
    """The checker's archive for Java, fetched once and kept."""
    for program in ("java", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program}: sudo apt install default-jre-headless npm")
    jar = CACHE / SHA256 / "vnu.jar"
    if not jar.exists():
        folder = tmp_path_factory.mktemp("vnu")
        got = subprocess.run(
            ["npm", "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True
        )
        if got.returncode:
            pytest.skip(f"npm does not give {PACKAGE}: {got.stderr.strip()[-200:]}")
        (packed,) = folder.glob("*.tgz")
        assert hashlib.sha256(packed.read_bytes()).hexdigest() == SHA256
        with tarfile.open(packed) as archive:
            found = archive.extractfile("package/build/dist/vnu.jar")
            assert found is not None
            jar.parent.mkdir(parents=True, exist_ok=True)
            partial = folder / "vnu.jar"
            partial.write_bytes(found.read())
        shutil.move(partial, jar)
    return jar


def test_every_page_is_valid(catalogue, checker, tmp_path):
    names = [shown.name for shown in catalogue if shown.is_page]
    for shown in catalogue:
        if shown.is_page:
            (tmp_path / f"{shown.name.replace('/', '--')}.html").write_bytes(shown.body)
    told = subprocess.run(
        ["java", *SHORT_LIVED, "-Xss8m", "-jar", checker, "--format", "json", "--stdout",
         "--exit-zero-always", "--skip-non-html", *map(str, tmp_path.iterdir())],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = [
        (Path(each["url"]).stem.replace("--", "/"), each["message"], each.get("extract", ""))
        for each in json.loads(told.stdout)["messages"]
        if each["type"] != "info" or each.get("subType") == "warning"
    ]
    assert len(list(tmp_path.iterdir())) == len(names) > 100
    assert [each for each in found if not stocks("nu", *each)] == []
