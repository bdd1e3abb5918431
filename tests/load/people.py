"""Respondents, for Locust: run by ``python -m tests.load``, never imported by a test.

Each does what a browser does: the forms as they are displayed, the choices made one after the
other. Every answer is read, not only its status.
"""

from __future__ import annotations

import json
import os
import random
import re
from dataclasses import asdict
from html import unescape
from pathlib import Path

import gevent
from locust import FastHttpUser, LoadTestShape, events, task
from locust.exception import StopUser

from tests.load.pattern import MOST_AT_ONCE, Plan, plans, thinking

MINUTES = float(os.environ["LOAD_MINUTES"])
GROUPS = os.environ["LOAD_GROUPS"].split(",")
"""The codes of the groups."""
TOLD = Path(os.environ["LOAD_TOLD"])
"""Where what was acknowledged is written, to be looked for in the database afterwards."""
PLANS = plans(MINUTES, int(os.environ["LOAD_PEOPLE"]), float(os.environ["LOAD_REPORTS"]))
PAUSE = 60 * thinking(MINUTES) / 24
"""Seconds between two steps of a sitting, on average."""
LAST = 60 * (MINUTES + 2 * thinking(MINUTES)) + 120
"""Seconds after which whoever is still there is sent home, and counted as an error."""

INPUT = re.compile(r"<(?:input|button)\b[^>]*>")
ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')
CODE = re.compile(r'resume-code code"[^>]*>\s*([\w-]+)\s*<')


class Wrong(Exception):
    """An answer is not what it should be."""


class Told:
    """What everybody was told, and how the crush went."""

    def __init__(self) -> None:
        self.people: list[dict[str, object]] = []
        self.arrived = self.left = 0
        self.crush: list[tuple[float, int]] = []
        self.crushing = False


TELL = Told()


def fields(page: str) -> dict[str, list[str]]:
    """The named inputs of a page and their values, but for the buttons and the language's form."""
    found: dict[str, list[str]] = {}
    body = page[page.index("<main") :]
    for tag in INPUT.findall(body):
        said = {name: unescape(value) for name, value in ATTRIBUTE.findall(tag)}
        if tag.startswith("<input") and said.get("name"):
            found.setdefault(said["name"], []).append(said.get("value", "on"))
    return found


class Respondent(FastHttpUser):
    max_retries = 0
    network_timeout = connection_timeout = 60.0

    @task
    def sit(self) -> None:
        place = TELL.arrived
        TELL.arrived += 1
        if place >= len(PLANS):
            raise StopUser
        plan = PLANS[place]
        self.chance = random.Random(plan.seed)
        self.headers = {
            "Accept-Language": self.chance.choice(["fr", "fr", "fr", "en"]),
            "Connection": "close",  # dearer than nginx, which keeps a few to what is behind it
            "X-Forwarded-For": f"10.{place % 40}.{place % 7}.1",  # a ward sits behind one
        }
        told: dict = {
            "plan": asdict(plan),
            "code": "",
            "answers": {},
            "sent": {},
            "finished": False,
            "wrong": "",
        }
        TELL.people.append(told)
        try:
            self.walk(plan, told)
        except Wrong as wrong:
            told["wrong"] = str(wrong)
        TELL.left += 1
        while not TELL.crushing:
            gevent.sleep(0.5)
        if place % max(1, len(PLANS) // MOST_AT_ONCE) == 0 and told["finished"]:
            self.press_for_the_report()
        while True:
            gevent.sleep(60)

    # --- The sitting ------------------------------------------------------------------------------

    def walk(self, plan: Plan, told: dict) -> None:
        door = f"/c/{GROUPS[plan.group]}/" if plan.group is not None else "/"
        page = self.see(door, "door", "<form")
        self.send(door, "door", self.token(page), to="/notice/")
        page = self.see("/notice/", "notice", "csrfmiddlewaretoken")
        self.think()
        self.send("/notice/", "notice", self.token(page), to="/code/")
        page = self.see("/code/", "code", "resume-code")
        shown = CODE.search(page)
        if shown is None:
            raise Wrong("no resume code is shown")
        told["code"] = shown[1]
        self.think()
        sent = {"token": fields(page)["token"][0]} | self.token(page)
        there = self.send("/code/", "code", sent, to="/sitting/context/1/")
        while "/review/" not in there:
            there = self.answer(there, plan, told)
        page = self.see(there, "review", "<form")
        self.send(there, "review", self.token(page), to="/results/")
        told["finished"] = True
        self.see("/results/", "results", 'id="domains"')
        if plan.wants_report:
            self.think()
            self.report("report")

    def answer(self, there: str, plan: Plan, told: dict) -> str:
        part = there.split("/")[2]
        page = self.see(there, f"page: {part}", "data-keep")
        offered = fields(page)
        sent = {"seen": offered["seen"][0]} | self.token(page)
        chosen = {}
        questions = [
            name for name in offered if name.startswith(("context-", "rating-", "answer-"))
        ]
        for name in questions:
            if self.chance.random() < 0.03:
                continue  # left out
            chosen[name] = self.chance.choice(offered[name])
            sure = name.replace("answer-", "confidence-")
            if sure != name and chosen[name] != "dont_know" and self.chance.random() < 0.9:
                chosen[sure] = self.chance.choice(offered[sure])
            self.think(1 / len(questions))
            told["sent"] |= chosen
            if plan.by_script:
                kept = self.script(there, f"save: {part}", sent | chosen | {"go": "keep"})
                sent["seen"] = kept["seen"]
                told["answers"] |= chosen
        if plan.by_script:
            to = self.script(there, f"go on: {part}", sent | chosen)["next"]
        else:
            to = self.send(there, f"go on: {part}", sent | chosen)
        told["answers"] |= chosen
        if to == there:
            raise Wrong(f"{there} leads to itself")
        return to

    def think(self, share: float = 1.0) -> None:
        gevent.sleep(PAUSE * share * self.chance.uniform(0.5, 1.5))

    # --- Asking -----------------------------------------------------------------------------------

    def see(self, path: str, name: str, holds: str) -> str:
        with self.client.get(
            path, name=f"GET {name}", headers=self.headers, allow_redirects=False,
            catch_response=True,
        ) as response:  # fmt: skip
            text = response.text or ""
            if response.status_code != 200 or holds not in text or "</html>" not in text:
                self.wrong(response, f"{response.status_code} without {holds}")
            return text

    def send(self, path: str, name: str, data: dict, to: str = "") -> str:
        with self.client.post(
            path, data=data, name=f"POST {name}", headers=self.headers, allow_redirects=False,
            catch_response=True,
        ) as response:  # fmt: skip
            there = (response.headers or {}).get("Location", "")
            if response.status_code != 302 or not there.startswith(to or "/sitting/"):
                self.wrong(response, f"{response.status_code} to {there!r}")
            return there

    def script(self, path: str, name: str, data: dict) -> dict:
        with self.client.post(
            path, data=data, name=f"POST {name} (script)",
            headers=self.headers | {"Accept": "application/json"}, allow_redirects=False,
            catch_response=True,
        ) as response:  # fmt: skip
            if response.status_code != 200:
                self.wrong(response, str(response.status_code))
            told = json.loads(response.text or "{}")
            if not {"seen", "next"} & set(told):
                self.wrong(response, f"told {sorted(told)}")
            return told

    def wrong(self, response, why: str) -> None:
        response.failure(why)
        raise Wrong(why)

    def token(self, page: str) -> dict[str, str]:
        return {"csrfmiddlewaretoken": fields(page)["csrfmiddlewaretoken"][0]}

    def report(self, name: str) -> int:
        """The PDF; asked for again, as the page says, where the press is busy."""
        for _try in range(10):
            with self.client.get(
                "/results/readiness-report.pdf", name=f"GET {name}", headers=self.headers,
                allow_redirects=False, catch_response=True,
            ) as response:  # fmt: skip
                status = response.status_code
                if status == 503 and (response.headers or {}).get("Retry-After"):
                    response.success()  # an answer we mean to give: counted apart
                elif status == 200 and (response.content or b"").startswith(b"%PDF-"):
                    return status
                else:
                    self.wrong(response, str(status))
            self.busy(name)
            gevent.sleep(30 * self.chance.uniform(1, 1.3))
        return 503

    def busy(self, name: str) -> None:
        TELL.crush.append((-1.0 if name == "report" else 0.0, 503))

    def press_for_the_report(self) -> None:
        began = gevent.get_hub().loop.now()
        try:
            status = self.report("report at the crush")
        except Wrong:
            status = 0
        gevent.get_hub().loop.update_now()
        TELL.crush.append((gevent.get_hub().loop.now() - began, status))


class Pattern(LoadTestShape):
    """One user for each who has arrived: who has left waits, for the count only goes up."""

    crush_ends = 0.0

    def tick(self) -> tuple[int, float] | None:
        now = self.get_run_time()
        arrived = sum(plan.arrives <= now for plan in PLANS)
        if TELL.left >= len(PLANS) and not TELL.crushing:
            TELL.crushing, self.crush_ends = True, now + 150
        if now > LAST or (TELL.crushing and now > self.crush_ends):
            return None
        return max(1, arrived), 100


@events.quitting.add_listener
def tell(environment, **_kwargs) -> None:
    routes = {
        name: {
            "requests": entry.num_requests, "errors": entry.num_failures,
            "p50": entry.get_response_time_percentile(0.5),
            "p95": entry.get_response_time_percentile(0.95),
            "p99": entry.get_response_time_percentile(0.99),
        }
        for (name, _method), entry in environment.stats.entries.items()
    }  # fmt: skip
    total = environment.stats.total
    routes["all"] = {
        "requests": total.num_requests, "errors": total.num_failures,
        "p50": total.get_response_time_percentile(0.5),
        "p95": total.get_response_time_percentile(0.95),
        "p99": total.get_response_time_percentile(0.99),
    }  # fmt: skip
    failures = [f"{each.name}: {each.error} × {each.occurrences}"
                for each in environment.stats.errors.values()]  # fmt: skip
    TOLD.write_text(
        json.dumps(
            {"routes": routes, "failures": failures, "people": TELL.people, "crush": TELL.crush,
             "arrived": TELL.arrived, "left": TELL.left, "planned": len(PLANS)}
        )
    )  # fmt: skip
