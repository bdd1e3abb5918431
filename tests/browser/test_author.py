"""An author's way: uploading what is broken, then what is right; looking, comparing, publishing."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.urls import reverse
from playwright.sync_api import expect

from assessments.instrument.loading import load
from assessments.instruments import publish
from assessments.models import InstrumentDraft, InstrumentVersion
from assessments.roles import make_author
from tests.conftest import SEEDS

from .conftest import DESKTOP
from .test_trainer import PASSWORD, sign_in
from .world import archive


def upload(page, content: bytes) -> None:
    file = {"name": "instrument.zip", "mimeType": "application/zip", "buffer": content}
    page.set_input_files("#id_document", file)
    with page.expect_navigation():
        page.click("form.upload button")


def test_the_whole_way(browser, live_server, transactional_db):
    version, _ = publish(load(SEEDS))
    author = get_user_model().objects.create_user("autrice", password=PASSWORD)
    make_author(author)
    page = browser.new_page(locale="fr-FR", viewport=DESKTOP)
    sign_in(page, live_server.url, "autrice")
    page.goto(live_server.url + reverse("admin:assessments_instrumentversion_changelist"))
    page.goto(live_server.url + reverse("admin:assessments_instrumentversion_upload"))
    numbered = ("instrument.yaml", f'"{version.version}"', '"2099.1"')
    upload(page, archive(numbered, ("scenarios/a.yaml", "credit: 1\n", "credit: 0.25\n")))
    expect(page.locator("table.findings")).to_be_visible()
    reworded = ("scenarios/a.yaml", "En pneumologie, un kinésithérapeute", "Un kinésithérapeute")
    upload(page, archive(numbered, reworded))
    draft = InstrumentDraft.objects.get()
    link = page.locator("table.figures tbody a").first
    with page.expect_navigation():
        link.click()
    page.goto(
        live_server.url
        + reverse(
            "admin:assessments_instrumentversion_compare",
            args=(f"d{draft.pk}", f"v{version.pk}"),
        )
    )
    page.goto(
        live_server.url
        + reverse("admin:assessments_instrumentversion_publish", args=(f"d{draft.pk}",))
    )
    with page.expect_navigation():
        page.click("form button.door")
    made = InstrumentVersion.objects.get(version="2099.1")
    page.goto(
        live_server.url
        + reverse("admin:assessments_instrumentversion_retire", args=(f"v{made.pk}",))
    )
    with page.expect_navigation():
        page.click("form button.door")
    made.refresh_from_db()
    assert made.retired_on is not None
