"""Spans: of requests, in the caller's trace, and only where they are asked for."""

from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from service.app import create_app
from service.db import Database
from service.observing.tracing import Traced
from service.settings import Settings


def layers(app: object) -> list[object]:
    return [layer.cls for layer in app.user_middleware]  # type: ignore[attr-defined]


def test_nothing_is_traced_unless_it_is_asked_for(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Traced not in layers(create_app(Settings(data_folder=tmp_path), database))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    app = create_app(Settings(data_folder=tmp_path), database)
    assert Traced in layers(app)
    app.state.tracer_provider.shutdown()


def test_a_request_is_a_span_of_its_callers_trace(database: Database, tmp_path: Path) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = create_app(Settings(data_folder=tmp_path, tasks_inside=False), database)
    app.add_middleware(Traced, provider=provider)
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    with TestClient(app, base_url="http://localhost") as client:
        client.get("/livez", headers={"traceparent": f"00-{trace}-{parent}-01"})
        client.get("/v1/jobs/a-name", headers={"traceparent": "nonsense", "Authorization": "Bearer SECRET"})
    known, refused = exporter.get_finished_spans()
    assert (known.name, refused.name) == ("GET /livez", "GET none")
    assert known.parent is not None
    assert (f"{known.context.trace_id:032x}", f"{known.parent.span_id:016x}") == (trace, parent)
    assert refused.parent is None
    assert [dict(span.attributes or {})["http.response.status_code"] for span in (known, refused)] == [
        200,
        401,
    ]
    assert "SECRET" not in f"{known.to_json()}{refused.to_json()}"
    assert "a-name" not in refused.to_json()
