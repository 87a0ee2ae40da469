"""The routes that every process answers: ``/livez``, ``/readyz`` and ``/metrics``.

A check is a coroutine function that returns None where all is well, or one line that says what is wrong.
"""

from __future__ import annotations

import asyncio
import platform
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final, get_args

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from config.redaction import redact_secrets
from sinks.callers import check_local_name, is_loopback
from sinks.desk.access import IS_ANONYMOUS
from sinks.desk.ports import FeedCondition, FeedHealth
from sinks.listener import check_characters
from sinks.metrics import BUILD_INFO, FEEDS, READY_CHECKS, SILENT_FEEDS

Check = Callable[[], Awaitable[str | None]]
# A check that takes longer has failed: probes of orchestrators give up soon after, and then learn no reason.
CHECK_TIMEOUT_S: Final = 5.0
# Silent feeds with a figure of their own, the longest silent ones. An outage makes thousands, and a time series each
# burdens Prometheus; with fewer than an operator can look at, some that need a look are not named.
MAX_NAMED_FEEDS: Final = 100


def health_routes(
    ready: Mapping[str, Check],
    alive: Mapping[str, Check] | None = None,
    measure: Callable[[], Awaitable[None]] | None = None,
) -> list[web.RouteDef]:
    """Routes for probes and Prometheus. `measure` sets gauges before each scrape, as the checks of `ready` do.

    ``/readyz`` is 200 where every check of `ready` passes, else 503; ``/livez`` does the same with `alive`, whose
    failure means that only a restart helps, so most processes leave it empty: an answer is the proof of life.
    """
    return [
        web.get("/livez", _probe(alive or {})),
        web.get("/readyz", _probe(ready)),
        web.get("/metrics", _metrics(ready, measure)),
    ]


def count_feeds(feeds: Sequence[FeedHealth]) -> None:
    """Set ``wire_feeds`` to how many feeds there are in each state, and name those that are silent for too long."""
    counts = Counter(feed.state for feed in feeds)
    for state in get_args(FeedCondition):
        FEEDS.labels(state).set(counts[state])
    silent = sorted((feed.last_new, feed.id) for feed in feeds if feed.state == "stalled" and feed.last_new)
    SILENT_FEEDS.clear()
    for last_new, feed_id in silent[:MAX_NAMED_FEEDS]:
        SILENT_FEEDS.labels(feed_id).set(datetime.fromisoformat(last_new).timestamp())


def health_app(
    ready: Mapping[str, Check],
    alive: Mapping[str, Check] | None = None,
    measure: Callable[[], Awaitable[None]] | None = None,
    host: str = "",
) -> web.Application:
    """An application with nothing but the health routes, for workers, pollers and sinks.

    `host` is where it answers: under a name of this machine only where nobody else can reach it.
    """
    app = web.Application(middlewares=[check_characters, *([check_local_name] if is_loopback(host) else [])])
    app.add_routes(health_routes(ready, alive, measure))
    return app


def _probe(checks: Mapping[str, Check]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        messages = await _run_checks(checks)
        failed = any(message is not None for message in messages.values())
        body = {
            "status": "failing" if failed else "ok",
            "checks": {name: _shown_message(request, message) for name, message in messages.items()},
        }
        return web.json_response(body, status=503 if failed else 200, headers={"Cache-Control": "no-store"})

    return answer


def _shown_message(request: web.Request, message: str | None) -> str:
    """What a check says; who has shown no token where there is one learns only that it fails."""
    if message is None:
        return "ok"
    return "failing" if request.get(IS_ANONYMOUS) else redact_secrets(message)


async def _run_checks(checks: Mapping[str, Check]) -> dict[str, str | None]:
    return dict(zip(checks, await asyncio.gather(*map(_run_check, checks.values())), strict=True))


async def _run_check(check: Check) -> str | None:
    try:
        return await asyncio.wait_for(check(), CHECK_TIMEOUT_S)
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT_S:g} s"
    except Exception as error:  # noqa: BLE001 -- a probe reports whatever is wrong
        return f"{type(error).__name__}: {error}"


def _metrics(ready: Mapping[str, Check], measure: Callable[[], Awaitable[None]] | None) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        if measure:
            await measure()
        for name, message in (await _run_checks(ready)).items():
            READY_CHECKS.labels(name).set(message is None)
        BUILD_INFO.labels(_own_version(), platform.python_version()).set(1)
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return answer


def _own_version() -> str:
    try:
        return version("wiredesk")
    except PackageNotFoundError:  # run from a folder of sources that was never installed
        return "unknown"
