"""A span for every request, as part of the trace that the caller is in; off unless it is asked for."""

import logging
import os
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.observing.observed import template
from service.settings import Settings

_log = logging.getLogger("service")
_ASKING = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def install(app: FastAPI, settings: Settings) -> None:
    """Trace an application if the settings or the environment ask for it."""
    if not settings.tracing and not any(os.environ.get(name) for name in _ASKING):
        return
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        _log.warning("traces are asked for and not sent: install them with `pip install 'mixwright[otel]'`")
        return
    provider = TracerProvider(resource=Resource.create({"service.name": "mixwright"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    app.state.tracer_provider = provider
    app.add_middleware(Traced, provider=provider)


class Traced:
    """The layer.

    Args:
        app: what lies behind.
        provider: of tracers, of the OpenTelemetry SDK.
    """

    def __init__(self, app: ASGIApp, *, provider: Any) -> None:
        from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415 - of an extra
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        self._app = app
        self._tracer = provider.get_tracer("mixwright")
        self._extract = TraceContextTextMapPropagator().extract
        self._kind, self._failed = SpanKind.SERVER, StatusCode.ERROR

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on within a span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        # What the caller says of the trace, and nothing else of its headers.
        parent = self._extract(
            {name: carrier[name] for name in ("traceparent", "tracestate") if name in carrier}
        )
        method = scope["method"]
        with self._tracer.start_as_current_span(method, context=parent, kind=self._kind) as span:

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(self._failed)
                await send(message)

            try:
                await self._app(scope, receive, noting)
            finally:
                route = template(scope)
                span.update_name(f"{method} {route}")
                span.set_attribute("http.request.method", method)
                span.set_attribute("http.route", route)
                span.set_attribute("mixwright.request_id", scope.get("request_id", ""))
