"""Traces and metrics for OpenTelemetry, where the operator asks for them.

On with the extra ``telemetry`` and any of OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER and
OTEL_METRICS_EXPORTER (``otlp``, ``console`` or ``none``), which, like all of OpenTelemetry's
variables, mean what its specification says. Whatever an instrumentation gathers, only what stands
in :data:`SAID` leaves the process: a request is told by its route and a statement by its verb, so
that no address, path, query, parameter, exception's words or person can.

:func:`instrument` comes before the fork, :func:`export`, which starts threads, after it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

SAID = frozenset(
    {
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "db.system.name",
        "db.system",
        "error.type",
    }
)
"""The attributes that are exported, by their names in the semantic conventions."""

_ASKED_BY = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER")


def asked_for() -> bool:
    return (
        any(os.environ.get(name) for name in _ASKED_BY)
        and os.environ.get("OTEL_SDK_DISABLED", "").lower() != "true"
    )


def instrument() -> None:
    """Watch requests and statements from now on; nothing is sent before :func:`export`."""
    if not asked_for():
        return
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    os.environ.setdefault("OTEL_SERVICE_NAME", "readiness")
    try:
        from opentelemetry.instrumentation.django import DjangoInstrumentor
        from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    except ImportError as missing:
        raise ImproperlyConfigured(
            "OTEL_… asks for telemetry, but its packages are not installed: "
            "pip install --require-hashes -r requirements-extras.txt"
        ) from missing
    DjangoInstrumentor().instrument(excluded_urls="healthz,readyz,static/")
    PsycopgInstrumentor().instrument()


def export(*, of_worker: bool = False) -> None:
    """Send what is watched from this process; ``of_worker`` adds the length of the queue."""
    if not asked_for():
        return
    start([_exporter("TRACES")], [_reader()], of_worker=of_worker)


def start(
    exporters: Iterable[SpanExporter | None],
    readers: Iterable[MetricReader | None],
    *,
    of_worker: bool = False,
) -> None:
    """Send to these, each behind the rule of :data:`SAID`."""
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
    from opentelemetry.sdk.metrics.view import View
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    tracing = TracerProvider()
    for exporter in filter(None, exporters):
        tracing.add_span_processor(BatchSpanProcessor(_said_alone(exporter)))
    trace.set_tracer_provider(tracing)
    metering = MeterProvider(
        metric_readers=list(filter(None, readers)),
        views=[View(instrument_name="*", attribute_keys=set(SAID))],
        # They carry the very attributes that the view has left out.
        exemplar_filter=AlwaysOffExemplarFilter(),
    )
    metrics.set_meter_provider(metering)
    _gauges(metering.get_meter("readiness"), of_worker)


def _exporter(signal: str) -> Any:
    """What a variable of OpenTelemetry names, made; None for ``none``."""
    name = os.environ.get(f"OTEL_{signal}_EXPORTER") or "otlp"
    if name == "none":
        return None
    if name == "console":
        from opentelemetry.sdk.metrics.export import ConsoleMetricExporter
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter() if signal == "TRACES" else ConsoleMetricExporter()
    if name == "otlp":
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter() if signal == "TRACES" else OTLPMetricExporter()
    raise ImproperlyConfigured(f"OTEL_{signal}_EXPORTER is otlp, console or none, not {name!r}.")


def _reader() -> MetricReader | None:
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    exporter = _exporter("METRICS")
    return PeriodicExportingMetricReader(exporter) if exporter else None


def _said_alone(exporter: SpanExporter) -> SpanExporter:
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class SaidAlone(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return exporter.export([_clean(span) for span in spans])

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return exporter.force_flush(timeout_millis)

    return SaidAlone()


def _clean(span: ReadableSpan) -> ReadableSpan:
    """The same span with what may be said: no events either, which quote exceptions."""
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Status

    told = {name: value for name, value in (span.attributes or {}).items() if name in SAID}
    # A request is named by its method and route; a statement by its verb, not by its server.
    verb = span.name.partition(" ")[0]
    name = verb if verb.isalpha() and verb.isupper() else "statement"
    if "http.request.method" in told:
        name = span.name
    return ReadableSpan(
        name=name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=told,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _gauges(meter: Any, of_worker: bool) -> None:
    """Gauges of the pool of connections and, from a worker, of the queue of tasks."""
    from django.db import connections
    from opentelemetry.metrics import CallbackOptions, Observation

    def pool(name: str) -> Any:
        def observed(options: CallbackOptions) -> list[Observation]:
            pool = getattr(connections["default"], "pool", None)
            return [Observation(pool.get_stats().get(name, 0))] if pool else []

        return observed

    for name, what in (
        ("pool_size", "connections of this process to the database"),
        ("pool_available", "connections that nobody is using"),
        ("requests_waiting", "threads that wait for a connection"),
    ):
        meter.create_observable_gauge(
            f"readiness.database.{name}", callbacks=[pool(name)], description=what
        )
    if of_worker:

        def waiting(options: CallbackOptions) -> list[Observation]:
            from django.db import DatabaseError
            from django_tasks_db.models import DBTaskResult

            try:
                return [Observation(DBTaskResult.objects.ready().count())]
            except DatabaseError:
                return []
            finally:
                connections.close_all()

        meter.create_observable_gauge(
            "readiness.tasks.waiting", callbacks=[waiting], description="tasks that wait"
        )
