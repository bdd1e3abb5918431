"""What OpenTelemetry is told: routes, durations, lengths; nobody and nothing of anybody."""

from __future__ import annotations

import gzip
import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
from typing import ClassVar

from tests.conftest import ROOT

from .conftest import GUNICORN, Deployment, answers, free_port, stop, wait_until

CANARY = "CANARYQZ"

WATCHED = f"""
import json, os
os.environ["OTEL_TRACES_EXPORTER"] = os.environ["OTEL_METRICS_EXPORTER"] = "none"
import readiness.wsgi
from readiness import telemetry
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
telemetry.start([spans], [reader], of_worker=True)

from django.test import Client
from assessments.views import joining
def fail(*args, **kwargs):
    raise ValueError("{CANARY}")
told = {{"user-agent": "{CANARY}", "referer": "{CANARY}", "x-forwarded-for": "198.51.100.77"}}
client = Client(headers=told, REMOTE_ADDR="192.0.2.77", raise_request_exception=False,
                HTTP_HOST="localhost", HTTP_X_FORWARDED_PROTO="https")
client.get("/c/{CANARY}/?q={CANARY}")
client.get("/{CANARY}/")
client.post("/group/", {{"access": "{CANARY}"}})
client.get("/healthz")
joining.page_for_all = fail
client.get("/")
trace.get_tracer_provider().force_flush()
print(json.dumps([json.loads(span.to_json()) for span in spans.get_finished_spans()]))
print(reader.get_metrics_data().to_json(indent=None))
"""


def watched(deployment: Deployment) -> tuple[list[dict], dict]:
    told = subprocess.run(
        [sys.executable, "-c", WATCHED],
        cwd=ROOT,
        env=os.environ | deployment.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    spans, metrics = told.stdout.splitlines()
    assert CANARY not in told.stdout
    assert "192.0.2" not in told.stdout
    assert "198.51" not in told.stdout
    return json.loads(spans), json.loads(metrics)


def test_requests_are_told_by_their_route_and_by_nothing_else(deployment: Deployment):
    spans, _metrics = watched(deployment)
    requests = [span for span in spans if "http.request.method" in span["attributes"]]
    assert [span["name"] for span in requests] == [
        "GET c/<str:access>/",
        "GET",
        "POST group/",
        "GET landing",
    ]
    assert requests[0]["attributes"] == {
        "http.request.method": "GET",
        "http.response.status_code": 404,
        "http.route": "c/<str:access>/",
    }
    assert all(span["events"] == [] for span in spans)
    if deployment.environment["DATABASE_URL"].startswith("postgresql"):
        statements = [span for span in spans if span not in requests]
        assert {"SELECT"} <= {span["name"] for span in statements}
        assert {name for span in statements for name in span["attributes"]} <= {
            "db.system",
            "db.system.name",
            "error.type",
        }


def test_metrics_know_durations_the_pool_and_the_queue(deployment: Deployment):
    _spans, told = watched(deployment)
    metrics = {
        metric["name"]: metric["data"]["data_points"]
        for resource in told["resource_metrics"]
        for scope in resource["scope_metrics"]
        for metric in scope["metrics"]
    }
    duration = metrics["http.server.request.duration"]
    assert {point["attributes"].get("http.route") for point in duration} == {
        "c/<str:access>/",
        "group/",
        None,
    }
    for points in metrics.values():
        for point in points:
            assert set(point["attributes"]) <= {
                "http.request.method",
                "http.response.status_code",
                "http.route",
                "db.system.name",
                "error.type",
            }
    assert metrics["readiness.tasks.waiting"][0]["value"] == 0
    if deployment.environment["DATABASE_URL"].startswith("postgresql"):
        assert metrics["readiness.database.pool_size"][0]["value"] >= 1
        assert metrics["readiness.database.requests_waiting"][0]["value"] == 0


def run(deployment: Deployment, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | deployment.environment | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_is_loaded_where_nobody_asks(deployment: Deployment):
    code = "import readiness.wsgi, sys; print(any('opentelemetry' in name for name in sys.modules))"
    assert run(deployment, code).stdout == "False\n"
    assert run(deployment, code, OTEL_TRACES_EXPORTER="none").stdout == "True\n"


def test_without_its_packages_it_says_what_to_install(deployment: Deployment):
    missing = "opentelemetry.instrumentation.django"
    code = f"import sys; sys.modules[{missing!r}] = None; import readiness.wsgi"
    done = run(deployment, code, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318")
    assert "requirements-extras.txt" in done.stderr
    assert done.returncode != 0


def test_an_exporter_that_is_unknown_is_refused(deployment: Deployment):
    code = "import readiness.wsgi; from readiness import telemetry; telemetry.export()"
    done = run(deployment, code, OTEL_TRACES_EXPORTER="jaeger")
    assert "otlp, console or none" in done.stderr


class Collector(http.server.BaseHTTPRequestHandler):
    """What an operator’s collector is sent, by path."""

    received: ClassVar[dict[str, bytes]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
        self.received[self.path] = self.received.get(self.path, b"") + body
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


def test_each_process_of_a_preloaded_server_sends(deployment: Deployment):
    """Exporters have threads, which a fork does not copy: they must start after it."""
    port = free_port()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        gunicorn = deployment.start(
            *(GUNICORN, "--config", "readiness/gunicorn.py", "readiness.wsgi"),
            log="telemetry.log",
            READINESS_BIND=f"127.0.0.1:{port}",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}",
            OTEL_BSP_SCHEDULE_DELAY="100",
            OTEL_METRIC_EXPORT_INTERVAL="300",
        )
        try:
            wait_until(lambda: answers(port))
            asking = http.client.HTTPConnection("127.0.0.1", port)
            asking.request(
                "GET", f"/c/{CANARY}/?q={CANARY}", headers={"X-Forwarded-Proto": "https"}
            )
            assert asking.getresponse().status == 404
            asking.close()
            wait_until(lambda: b"c/<str:access>/" in Collector.received.get("/v1/traces", b""))
            wait_until(
                lambda: (
                    b"http.server.request.duration" in Collector.received.get("/v1/metrics", b"")
                )
            )
        finally:
            stop(gunicorn)
            collector.shutdown()
    assert CANARY.encode() not in b"".join(Collector.received.values())
    assert b"127.0.0.1" not in b"".join(Collector.received.values())
