"""An author's way: uploading what is broken, then what is right; looking, comparing, publishing."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from playwright.sync_api import expect

from assessments.instrument.loading import load
from assessments.instruments import publish
from assessments.models import InstrumentDraft, InstrumentVersion
from assessments.roles import make_author
from tests.conftest import SEEDS

from .conftest import DESKTOP, PHONE, check
from .test_trainer import PASSWORD, sign_in


def archive(*changes: tuple[str, str, str]) -> bytes:
    """Our own instrument as a ZIP archive, with some strings replaced: (file, old, new)."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as folder:
        for path in sorted(SEEDS.rglob("*")):
            if path.is_file():
                name = path.relative_to(SEEDS).as_posix()
                text = path.read_text(encoding="utf-8")
                for file, old, new in changes:
                    if file == name:
                        assert old in text
                        text = text.replace(old, new, 1)
                folder.writestr(f"ai-readiness/{name}", text)
    return made.getvalue()


def upload(page, content: bytes) -> None:
    file = {"name": "instrument.zip", "mimeType": "application/zip", "buffer": content}
    page.set_input_files("#id_document", file)
    with page.expect_navigation():
        page.click("form.upload button")


@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [("fr-FR", DESKTOP, "light"), ("en-GB", PHONE, "dark")],
    ids=["french-desktop", "english-phone-dark"],
)
def test_the_whole_way(browser, live_server, transactional_db, language, size, scheme):
    version, _ = publish(load(SEEDS))
    author = get_user_model().objects.create_user("autrice", password=PASSWORD)
    make_author(author)
    page = browser.new_page(locale=language, viewport=size, color_scheme=scheme)
    sign_in(page, live_server.url, "autrice")
    page.goto(live_server.url + reverse("admin:assessments_instrumentversion_changelist"))
    check(page)
    page.goto(live_server.url + reverse("admin:assessments_instrumentversion_upload"))
    check(page)
    numbered = ("instrument.yaml", f'"{version.version}"', '"2099.1"')
    upload(page, archive(numbered, ("scenarios/a.yaml", "credit: 1\n", "credit: 0.25\n")))
    expect(page.locator("table.findings")).to_be_visible()
    check(page, "findings")
    reworded = ("scenarios/a.yaml", "En pneumologie, un kinésithérapeute", "Un kinésithérapeute")
    upload(page, archive(numbered, reworded))
    draft = InstrumentDraft.objects.get()
    check(page, "draft")
    link = page.locator("table.figures tbody a").first
    with page.expect_navigation():
        link.click()
    check(page, "preview")
    page.goto(
        live_server.url
        + reverse(
            "admin:assessments_instrumentversion_compare",
            args=(f"d{draft.pk}", f"v{version.pk}"),
        )
    )
    check(page, "comparison")
    page.goto(
        live_server.url
        + reverse("admin:assessments_instrumentversion_publish", args=(f"d{draft.pk}",))
    )
    check(page, "publish")
    with page.expect_navigation():
        page.click("form button.door")
    made = InstrumentVersion.objects.get(version="2099.1")
    page.goto(
        live_server.url
        + reverse("admin:assessments_instrumentversion_retire", args=(f"v{made.pk}",))
    )
    check(page, "retire")
    with page.expect_navigation():
        page.click("form button.door")
    made.refresh_from_db()
    assert made.retired_on is not None
