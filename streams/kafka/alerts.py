"""Alerts of a fleet: the sink that makes them, and beside it the courier that sends them while it holds the lease."""

from __future__ import annotations

import asyncio
import secrets

from config.settings import Settings
from sinks.elasticsearch.alerts import ElasticAlerts
from sinks.stories import now_ms
from streams.alerts.courier import AlertCourier
from streams.alerts.senders import load_senders
from streams.kafka.sink import SinkRunner


async def run_alerts(runner: SinkRunner, settings: Settings, stop: asyncio.Event) -> None:
    """Make and send alerts until `stop`.

    Raises:
        Misconfigured: the settings of what sends contradict each other.
    """
    senders, store = load_senders(settings), ElasticAlerts(settings.elasticsearch)
    owner = secrets.token_hex(8)

    async def hold_lease() -> bool:
        return await store.hold_lease(owner, now_ms())

    courier = AlertCourier(store, senders, settings.alerts, settings.webhooks, may_send=hold_lease)
    tasks = [asyncio.create_task(courier.run(stop)), asyncio.create_task(runner.run(stop))]
    try:
        for task in asyncio.as_completed(tasks):
            await task
    finally:
        stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        for sender in senders.values():
            await sender.close()
        await store.close()
