"""The health page of a process on Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import structlog

from config.errors import Misconfigured
from config.settings import Health
from sinks.desk.health import Check, health_app, serve

log = structlog.get_logger("wiredesk")


@asynccontextmanager
async def healthy(
    settings: Health, ready: Mapping[str, Check], measure: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[None]:
    """Answer ``/livez``, ``/readyz`` and ``/metrics`` while the block runs; `measure` sets gauges before a scrape.

    Raises:
        Misconfigured: the address is taken.
    """
    try:
        runner, port = await serve(health_app(ready, measure=measure), settings.host, settings.port)
    except OSError as error:
        raise Misconfigured(
            f"health.host and health.port: {settings.host}:{settings.port}: {error.strerror}"
        ) from error
    log.info("health", url=f"http://{settings.host}:{port}/readyz")
    try:
        yield
    finally:
        await runner.cleanup()
