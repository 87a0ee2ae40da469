"""Every role of docker-compose.yml at work on its broker, as its own user, with the rights that the fleet gives it."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from config.settings import Kafka, Settings
from streams.kafka.topics import topic_differences
from streams.topology import ENRICHED, RAW
from tests.acceptance.test_compose_kafka import FILES, ROLES, login, place, shell_of, started, work
from tests.servers.fleet import COMMAND, Worker, item, make_topics, publish, read
from tests.servers.process import free_ports
from tests.trials.trial import Trial

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(540)]
__all__ = ["work"]  # a fixture
WIREDESK: Final = COMMAND[:-1]
# What each role runs in the fleet, and what its log says once it takes part.
RUNS: Final = {
    "poller": (("poll", "--feeds", "feeds.toml"), "partitions are ours"),
    "worker": (("worker",), "partitions assigned"),
    "routes": (("sink", "routes"), "partitions assigned"),
    "sink": (("sink", "elasticsearch"), "sink started"),
    "webhooks": (("sink", "webhooks"), "webhook started"),
    "desk": (("desk", "--feeds", "feeds.toml"), ""),
}


@pytest.mark.trial("33", "every role of the compose fleet with the rights that the fleet gives")
async def test_each_role_needs_no_more_than_it_is_given(work: Path, trial: Trial) -> None:
    port, controller = free_ports(2)
    place(work, port, controller)
    (work / "feeds.toml").write_text('[[feeds]]\nid = "f"\nurl = "http://127.0.0.1:9/rss"\n')
    (work / "hooks.toml").write_text('[webhooks.paper]\nroute = "urgent"\nurl = "http://127.0.0.1:9/hook"\n')
    shell = shell_of(work)
    process = started(work, shell, 1)
    try:
        operator = replace(login(work, port, "operator"), partitions=2)
        await make_topics(operator)
        done = subprocess.run(
            ["bash", str(FILES / "grant.sh")],
            env=os.environ | shell,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        logins = {role: of_role(work, port, role) for role in ROLES if role != "operator"}
        for role, settings in logins.items():
            assert await topic_differences(Settings(kafka=settings)) == [], role
        with ExitStack() as stack:
            running = {role: stack.enter_context(start(work, logins[role], role)) for role in logins}
            for role, (_, words) in RUNS.items():
                running[role].wait_for(words, 120)
            await publish(logins["poller"], map(item, range(5)), RAW.name)
            enriched = await read(operator, [ENRICHED.name], 5, 120)
            assert enriched, running["worker"].log()[-6000:]
            trial.count(map(str, range(5)), map(str, range(len(enriched))))
            await read(operator, [ENRICHED.name], 6, 12)  # so that all ask for what they ask now and then
            for role, worker in running.items():
                log = worker.log()
                assert worker.process.poll() is None, f"{role}: {log[-2000:]}"
                for words in ("Authoriz", "may not", "denied", "Traceback"):
                    assert words not in log, f"{role}: {log[-3000:]}"
    finally:
        process.stop()


def of_role(work: Path, port: int, role: str) -> Kafka:
    return replace(login(work, port, role), partitions=2, workers=1, worker=role)


def start(work: Path, settings: Kafka, role: str) -> Worker:
    arguments = [str(work / word) if word.endswith(".toml") else word for word in RUNS[role][0]]
    environment = {
        "WIREDESK_WEBHOOKS_FILE": str(work / "hooks.toml"),
        "WIREDESK_DESK_PORT": str(free_ports(1)[0]),
    }
    environment["WIREDESK_ELASTICSEARCH_URL"] = "http://127.0.0.1:9"
    environment["WIREDESK_WEBHOOK_PAPER_SECRET"] = "whsec_" + "A" * 40
    return Worker(settings, work / f"{role}.log", *WIREDESK, *arguments, **environment)
