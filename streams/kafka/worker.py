"""A worker: steps of the topology as Faust agents, and the transactions in which they are committed.

Each topic that a step reads is an agent's; the agent hands batches to the step's `StepRunner`, which does the rest.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any, Final, cast

import structlog
from aiokafka import TopicPartition

from config.settings import Settings
from sinks.routes.router import RouteRule
from streams.kafka.cluster import Cluster, drop_result, or_stopped
from streams.kafka.crash_counts import CrashTopic
from streams.kafka.engines import Engine, PooledEngine, StatefulEngine, StatelessEngine
from streams.kafka.faust_internals import App, Batch, fence_commits
from streams.kafka.route_topics import RouteTopics
from streams.kafka.routes import RouteEngine, RouteRunner
from streams.kafka.security import certificates_part
from streams.kafka.service import serve_health
from streams.kafka.standby import PartitionStates, StatefulStep
from streams.kafka.step_runner import StepRunner
from streams.kafka.topics import check_state_partitions, step_topics, wait_until_ready, watch_topics
from streams.kafka.watchdog import Watchdog, join_checks
from streams.operator_files import routes_part, watchlists_part
from streams.pool import StepLoader, StepPool
from streams.reload import FileReloader, ReloadPart, follow_files
from streams.routing import RuleBook, load_rules, load_work
from streams.steps import load_used_work
from streams.topology import ROUTE, Step

# At the end, for the records in hand. Less aborts them, and the next worker runs them again; with more, a supervisor's
# own patience (10 s is usual before SIGKILL) ends first.
DRAIN_S: Final = 8.0
STOP_S: Final = 3.0  # for Faust's own end after that
log = structlog.get_logger("wiredesk.kafka")


async def run_worker(
    settings: Settings,
    steps: Sequence[Step],
    stop: asyncio.Event,
    *,
    load: StepLoader = load_used_work,
    rules: Callable[[], Sequence[RouteRule]] = tuple,
    parts: Sequence[ReloadPart] = (),
) -> None:
    """Run steps until `stop`, then finish what is in hand.

    `rules` gives those whose topics the steps write, `parts` what is read again beside watch lists and certificates.

    Raises:
        Misconfigured: topics are missing, refused by the broker, or of numbers of partitions that don't fit.
        BrokenPool: a child of the pool died.
        KafkaError: the broker left a transaction undecided; start again, from what is committed.
    """
    fence_commits()
    if any(step.name == "tag" for step in steps):
        parts = [*parts, watchlists_part(settings, lambda: pool.renew("tag"))]
    reloader = FileReloader([*parts, certificates_part(settings.kafka)])
    cluster = Cluster(settings.kafka)
    if not await wait_until_ready(settings, stop, step_topics(steps)):
        return
    await check_state_partitions(cluster, steps)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(StepPool(steps, settings, settings.kafka.workers, load=load))
        crashes = CrashTopic(cluster)
        await crashes.load_counts()
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wiredesk-"))
        app = App(cluster, folder)
        runners = [
            _runner_class(step)(step, app, cluster, _engine(step, settings, cluster, pool, load), crashes)
            for step in steps
        ]
        for runner in runners:
            _add_agents(app, cluster, runner)
        _follow_assignments(app, cluster, runners)
        await stack.enter_async_context(_watched(settings, app, runners, rules))
        await stack.enter_async_context(follow_files(reloader, stop))
        await _run_until(stop, app, runners)


async def run_routes(settings: Settings, stop: asyncio.Event) -> None:
    """Route by the rules that have their topics until `stop`, as `run_worker` runs steps.

    Raises:
        Misconfigured: a rule is wrong, or as `run_worker`.
    """
    book = RuleBook()
    topics = RouteTopics(settings, book.replace)
    parts = [routes_part(settings, topics.use)] if settings.routes.file else []
    rules = load_rules(settings)
    if not await wait_until_ready(settings, stop, step_topics([ROUTE])):
        return
    await topics.use(rules)
    following = asyncio.create_task(topics.follow())
    try:
        await run_worker(
            settings,
            [ROUTE],
            stop,
            load=partial(load_work, book=book),
            rules=lambda: book.rules,
            parts=parts,
        )
    finally:
        following.cancel()


async def _run_until(stop: asyncio.Event, app: App, runners: Sequence[StepRunner]) -> None:
    """Run the app and its steps until `stop` or a failure, then drain."""
    await or_stopped(asyncio.gather(*(runner.open() for runner in runners)), stop)
    if stop.is_set():
        await asyncio.gather(*(runner.close() for runner in runners))
        return
    await app.start()
    log.info("worker started", worker=app.cluster.worker, steps=[runner.step.name for runner in runners])
    running: list[asyncio.Future[None]] = [asyncio.ensure_future(runner.run()) for runner in runners]
    running += [runner.failure for runner in runners]
    ended = asyncio.ensure_future(app.wait_until_stopped())
    stopped = asyncio.ensure_future(stop.wait())
    ends: list[asyncio.Future[Any]] = [*running, ended, stopped]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(runner.stop_committing() for runner in runners)), DRAIN_S)
        failures = [task.exception() for task in running if task.done() and not task.cancelled()]
        for task in ends:
            task.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(app.stop(), STOP_S)
        for runner in runners:
            with suppress(TimeoutError):
                await asyncio.wait_for(runner.close(), STOP_S)
    for failure in (*failures, app.crash_reason):
        if failure:
            raise failure
    if not stop.is_set():
        raise RuntimeError("Faust has stopped by itself")
    log.info("worker stopped", worker=app.cluster.worker)


def _add_agents(app: App, cluster: Cluster, runner: StepRunner) -> None:
    """One agent for each topic that the step reads."""
    for topic in runner.step.reads:
        app.readers[cluster.topic(topic.name)] = runner.step.name
        channel = app.topic(
            cluster.topic(topic.name), key_serializer="raw", value_serializer="raw", acks=False
        )
        app.agent(channel, name=f"{runner.step.name}:{topic.name}")(_agent(runner))


def _agent(runner: StepRunner) -> Callable[[Any], Any]:
    async def agent(stream: Any) -> None:
        async for event in stream.noack().events():
            batch: Batch = event.value
            await runner.add_batch(batch)

    return agent


def _follow_assignments(app: App, cluster: Cluster, runners: Sequence[StepRunner]) -> None:
    """End open transactions before partitions go, and take over partitions that come."""

    async def revoked(_app: Any, _partitions: Any, **_: Any) -> None:
        for runner in runners:
            await runner.wait_for_transaction()

    async def assigned(_app: Any, partitions: Iterable[Any], **_: Any) -> None:
        ours = [TopicPartition(partition.topic, partition.partition) for partition in partitions]
        log.info("partitions assigned", number=len(ours), generation=app.generation)
        for runner in runners:
            names = {cluster.topic(topic.name) for topic in runner.step.reads}
            runner.assign_partitions([partition for partition in ours if partition.topic in names])

    app.on_partitions_revoked.connect(cast("Any", revoked))
    app.on_partitions_assigned.connect(cast("Any", assigned))


def _runner_class(step: Step) -> type[StepRunner]:
    return RouteRunner if step.name == ROUTE.name else StepRunner


def _engine(step: Step, settings: Settings, cluster: Cluster, pool: StepPool, load: StepLoader) -> Engine:
    if step.pooled:
        return PooledEngine(pool, step)
    if step.state:
        engine = RouteEngine if step.name == ROUTE.name else StatefulEngine
        states = PartitionStates(cluster, step.state.name, lambda: cast("StatefulStep", load(step, settings)))
        return engine(states, step.name, settings.steps.deadline_s)
    return StatelessEngine(lambda: load(step, settings), step.name, settings.steps.deadline_s)


@asynccontextmanager
async def _watched(
    settings: Settings, app: App, runners: Sequence[StepRunner], rules: Callable[[], Sequence[RouteRule]]
) -> AsyncIterator[None]:
    """The health page, and figures that follow the steps."""
    watchdog = Watchdog(app.cluster, runners)

    async def check_group() -> str | None:
        if not app.is_in_group:
            return "Kafka does not answer, or the group is not joined yet"
        return "partitions are being assigned" if app.rebalancing else None

    checks = {"kafka": join_checks(watchdog.check_broker, check_group), "steps": watchdog.check}
    async with serve_health(settings.health, checks):
        topics = step_topics(runner.step for runner in runners)
        measuring = asyncio.gather(watchdog.run(), watch_topics(settings, topics, rules))
        measuring.add_done_callback(drop_result)
        try:
            yield
        finally:
            measuring.cancel()
