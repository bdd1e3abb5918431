"""A real server, as it is served, says nothing of who asked for what."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from html import unescape
from http.cookiejar import CookieJar

from django.conf import settings

from assessments import codes
from tests.conftest import ROOT, SEEDS

from .canaries import Canary, leaks

SECRET = "a-secret-key-that-stands-nowhere-3817265409"


class Browser:
    """A plain browser against a real server."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str, sent: dict[str, str] | None = None) -> str:
        data = urllib.parse.urlencode(sent).encode() if sent is not None else None
        try:
            with self.opener.open(self.address + path, data, timeout=60) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.read().decode()

    def post(self, path: str, page: str, **sent: str) -> str:
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)[1]
        return self.get(path, {"csrfmiddlewaretoken": token, **sent})


def test_a_real_server_says_nothing_of_who_asked_for_what(tmp_path):
    """The standard output and errors of gunicorn, as it is served."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        "READINESS_DATA": str(tmp_path / "data"),
        "READINESS_SECRET_KEY": SECRET,
        "READINESS_ADDRESS": f"http://127.0.0.1:{port}",
        "DJANGO_SETTINGS_MODULE": "readiness.settings",
    }
    managed = [sys.executable, "manage.py"]
    for command in (["migrate"], ["load_instrument", str(SEEDS)], ["collectstatic", "--no-input"]):
        subprocess.run(
            managed + command, cwd=ROOT, env=environment, check=True, capture_output=True
        )
    made = subprocess.run(
        [*managed, "shell", "-v0", "-c", COHORT],
        cwd=ROOT, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    access = made.stdout.strip()
    said = tmp_path / "said"
    bind = ["--bind", f"127.0.0.1:{port}", "--workers", "1"]
    with said.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "readiness/gunicorn.py", *bind,
             "readiness.wsgi"],
            cwd=ROOT, env=environment, stdout=out, stderr=out,
        )  # fmt: skip
        try:
            code, cookie = visited(f"http://127.0.0.1:{port}", access)
        finally:
            server.terminate()
            server.wait(30)
    canaries = [
        Canary("resume code", code.encode(), {}),
        Canary("group’s code", access.encode(), {}),
        Canary("session", cookie.encode(), {}),
        Canary("secret key", SECRET.encode(), {}),
        Canary("address", b"127.0.0.1:", {r"output": "where it listens"}),
    ]
    wrong, right = leaks(canaries, [("output", said.read_bytes())])
    assert wrong == set()
    assert right == {"address: output"}


COHORT = """
from django.utils import timezone
from assessments.instruments import current, default_form
from assessments.models import Cohort, Phase
today, version = timezone.localdate(), current()
cohort = Cohort.objects.create(name="Ward", created_on=today)
Phase.objects.create(cohort=cohort, kind="before", opens_on=today, version=version,
                     form=default_form(version))
print(cohort.code)
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def visited(address: str, access: str) -> tuple[str, str]:
    """Join a group, answer, leave, come back, mistype, look for what is not there."""
    browser = Browser(address)
    for _second in range(120):
        try:
            browser.get("/")
            break
        except OSError:
            time.sleep(0.5)
    door = browser.get(f"/c/{access}/")
    notice = browser.post(f"/c/{access}/", door)
    start = browser.post("/notice/", notice)
    code = codes.normalised(
        re.search(r'resume-code code"[^>]*>([^<]+)<', start)[1], codes.RESUME_LENGTH
    )
    token = re.search(r'name="token"[^>]* value="([^"]+)"', start) or re.search(
        r'value="([^"]+)"[^>]* name="token"', start
    )
    page = browser.post("/code/", start, token=unescape(token[1]))
    assert "csrfmiddlewaretoken" in page
    browser.post("/leave/", browser.get("/leave/"))
    resume = browser.get("/resume/")
    browser.post("/resume/", resume, code=code[:-1])
    browser.post("/resume/", browser.get("/resume/"), code=code)
    browser.get("/resume/", {"code": code})  # without its token: refused
    browser.get(f"/c/{access}/nowhere/")
    jar = next(each for each in browser.opener.handlers if hasattr(each, "cookiejar")).cookiejar
    cookie = next(each.value for each in jar if each.name == settings.SESSION_COOKIE_NAME)
    return code, cookie
