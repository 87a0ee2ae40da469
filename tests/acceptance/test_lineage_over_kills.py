"""Chains over kill -9: a run that is killed in the middle ends with the lineage of one that was never disturbed."""

from __future__ import annotations

import signal
from pathlib import Path

import orjson
import pytest

from config.settings import Settings
from processors.model.codec import decode
from processors.model.event import Event, RawItem
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log
from streams.process import Input, Pipeline, chosen_steps
from streams.topology import RAW
from tests.acceptance.test_run import at_least, events, running, settings, until
from tests.invented import story

pytestmark = pytest.mark.acceptance
STORIES = 30


def sent() -> list[bytes]:
    """Stories, each with a copy from elsewhere and a second version, one after the other."""
    made: list[bytes] = []
    for number in range(STORIES):
        first = story(number, 120)
        body = {
            **first["bodies"][0],
            "value": first["bodies"][0]["value"] + "\n\nIt cost 17,450 crowns in all.",
        }
        made += map(
            orjson.dumps,
            (
                first,
                {**first, "uri": f"urn:elsewhere:{number}"},
                {**first, "version": "2", "bodies": [body]},
            ),
        )
    return made


def undisturbed(database: Path) -> dict[tuple[str, str | None], object]:
    """The lineage of the raw items of a log in its order, by one pipeline in one process."""
    pipeline = Pipeline(chosen_steps(["normalise", "deduplicate"]), Settings())
    items = [decode(record.value, RawItem) for record in Log(database).records(RAW.name)]
    made = [result.event for item in items for result in pipeline([Input("", None, item)])]
    return {
        (each.story.uri, each.story.version): (
            each.lineage.story,
            each.lineage.relation,
            each.lineage.sequence,
        )
        for each in made
        if isinstance(each, Event) and each.lineage
    }


@pytest.mark.timeout(400)
def test_kill_9_in_the_middle_changes_no_lineage(wiredesk: str, tmp_path: Path) -> None:
    drop, log, data = tmp_path / "drop", tmp_path / "log", tmp_path / "data"
    drop.mkdir()
    payloads = sent()
    for number, payload in enumerate(payloads):
        (drop / f"{number:05}.json").write_bytes(payload)
    config = settings(
        tmp_path, f'[poll]\ndrop_folder = "{drop}"\ndrop_interval_s = 0.1\n[embedded]\nbatch = 4\n'
    )
    written = tmp_path / "events.jsonl"
    command = [wiredesk, "run", "--no-feeds", "--no-desk", "--config", str(config), "--data", str(data)]
    with running(*command, "--events", str(written), log=log) as process:
        until(at_least(written, STORIES), 90, process, log)
        process.kill()
        assert process.wait(10) == -signal.SIGKILL
    with running(*command, "--events", str(written), log=log) as process:
        until(at_least(written, len(payloads)), 120, process, log)
    found = {
        (each["story"]["uri"], each["story"].get("version")): (
            each["lineage"]["story"],
            each["lineage"]["relation"],
            each["lineage"]["sequence"],
        )
        for each in events(written)
    }
    assert found == undisturbed(data / DATABASE)
    assert {relation for _, relation, _ in found.values()} >= {"new", "duplicate", "update"}
