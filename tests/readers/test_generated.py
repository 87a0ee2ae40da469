"""Classes that others' tools generate from the schemas read every event whole: `make readers` asks all of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import NewTopic
from confluent_kafka import Producer
from msgspec.structs import replace

from config.files import CONFIG_FOLDER
from config.settings import Settings, Webhooks
from processors.model.codec import encode
from processors.model.event import Event, RawItem
from streams.kafka.cluster import Cluster
from streams.kafka.topics import wait_for_topics
from streams.messages import Message, Record, event_message, make_tombstone
from streams.process import Input, Pipeline
from streams.topology import STEPS
from streams.webhooks.delivery import TargetClient
from streams.webhooks.targets import Target
from tests.conftest import KafkaForTest, say
from tests.readers.events import full_event, lost_members, many_events
from tests.servers import maven, npm

HERE: Final = Path(__file__).parent
SCHEMA: Final = CONFIG_FOLDER / "schemas" / "event.v1.json"
TWIN: Final = CONFIG_FOLDER / "schemas" / "event.v1.draft-07.json"
QUICKTYPE: Final = ("quicktype@26.0.0", "typescript@5.9.3")
MODELINA: Final = ("@asyncapi/modelina@5.10.1", "typescript@5.9.3")
POJO: Final = (
    "org.jsonschema2pojo:jsonschema2pojo-core:1.2.2",
    "com.fasterxml.jackson.datatype:jackson-datatype-jsr310:2.17.2",
)
READ_PYDANTIC: Final = """
import sys
import model
for line in sys.stdin.buffer:
    print(model.Event.model_validate_json(line).model_dump_json(by_alias=True, exclude_unset=True))
"""
foreign = pytest.mark.skipif(
    not os.environ.get("WIRETEST_READERS"), reason="fetches tools of npm and Maven; make readers"
)


def run(*command: str | Path, stdin: bytes = b"", cwd: Path | None = None, **environment: str) -> bytes:
    ran = subprocess.run(
        [str(part) for part in command], input=stdin, capture_output=True, timeout=300, check=False, cwd=cwd,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert ran.returncode == 0, (ran.stdout + ran.stderr).decode()[-3000:]
    return ran.stdout


def check(
    request: pytest.FixtureRequest,
    tool: str,
    events: Sequence[bytes],
    written: bytes,
    *,
    writes_empty: bool = True,
) -> None:
    """Nothing of any event is lost."""
    lines = written.splitlines()
    assert len(lines) == len(events)
    pairs = zip(events, lines, strict=True)
    lost = [path for event, line in pairs for path in lost_members(event, line, writes_empty=writes_empty)]
    assert lost == []
    say(request, f"{tool}: {len(events)} events read and written back, 0 members lost")


def test_the_full_event_has_every_member_of_every_class() -> None:
    schema = orjson.loads(SCHEMA.read_bytes())
    parts = {**schema["$defs"], "Event": schema}
    seen: dict[str, set[str]] = {}

    def look(value: object, reference: str) -> None:
        part = parts[reference.rpartition("/")[2]]
        if not isinstance(value, dict):
            return
        seen.setdefault(part["title"], set()).update(value)
        for name, described in part["properties"].items():
            inner = described.get("$ref") or described.get("items", {}).get("$ref")
            for each in value.get(name, ()) if "items" in described else [value.get(name)]:
                if inner and isinstance(each, dict):
                    look(each, inner)

    look(orjson.loads(encode(full_event())), "Event")
    missing = {
        name: set(part["properties"]) - seen.get(name, set())
        for name, part in parts.items()
        if "properties" in part
    }
    assert {name: members for name, members in missing.items() if members} == {}


def test_a_reader_that_loses_something_is_told() -> None:
    event = orjson.loads(encode(full_event()))
    assert lost_members(orjson.dumps(event), orjson.dumps(event)) == []
    del event["lineage"]["alsoKilled"][0]["source"]
    event["provenance"]["whole"]["offset"] = 5
    assert lost_members(encode(full_event()), orjson.dumps(event)) == [
        ".lineage.alsoKilled[].source is lost",
        ".provenance.whole.offset: 3000000000 is 5",
    ]


def test_models_of_datamodel_code_generator_lose_nothing(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """In CI with an event that has every member, and the examples."""
    pytest.importorskip("datamodel_code_generator")
    run(
        sys.executable, "-m", "datamodel_code_generator", "--input", SCHEMA, "--input-file-type", "jsonschema",
        "--output", tmp_path / "model.py", "--output-model-type", "pydantic_v2.BaseModel", "--formatters", "builtin",
    )  # fmt: skip
    model = (tmp_path / "model.py").read_text("utf-8")
    assert "class Relation(" in model, "a closed list is a class of its own name, not Kind2"
    assert "dateline: Dateline | None" in model
    assert not re.search(r"\bAny\b", model)
    events = (
        many_events() if os.environ.get("WIRETEST_READERS") else [encode(full_event(n)) for n in range(14)]
    )
    written = run(
        sys.executable, "-c", READ_PYDANTIC, stdin=b"\n".join(events), cwd=tmp_path, PYTHONPATH=str(tmp_path)
    )
    check(request, "datamodel-code-generator (Python, pydantic 2)", events, written)
    newer = orjson.dumps(orjson.loads(events[0]) | {"someday": {"kind": 1}})  # of a version to come
    written = run(sys.executable, "-c", READ_PYDANTIC, stdin=newer, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert lost_members(newer, written) == [".someday is lost"]


@foreign
def test_types_of_quicktype_for_typescript_lose_nothing(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tools = npm.modules(*QUICKTYPE) / ".bin"
    run(tools / "quicktype", "--src-lang", "schema", "--lang", "ts", SCHEMA, "-o", tmp_path / "event.ts")
    shutil.copy(HERE / "read.ts", tmp_path)
    run(tools / "tsc", "--strict", "--target", "es2022", "--module", "commonjs", "read.ts", cwd=tmp_path)
    events = many_events()
    check(
        request,
        "quicktype (TypeScript)",
        events,
        run(npm.node(), "read.js", stdin=b"\n".join(events), cwd=tmp_path),
    )


@foreign
def test_types_of_quicktype_for_go_lose_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    quicktype = npm.modules(*QUICKTYPE) / ".bin" / "quicktype"
    run(
        quicktype,
        "--src-lang",
        "schema",
        "--lang",
        "go",
        "--package",
        "main",
        SCHEMA,
        "-o",
        tmp_path / "event.go",
    )
    assert "interface{}" not in (tmp_path / "event.go").read_text("utf-8")
    written = run_go(tmp_path, many_events())
    check(request, "quicktype (Go, omitempty)", many_events(), written, writes_empty=False)


def run_go(folder: Path, events: Sequence[bytes]) -> bytes:
    shutil.copy(HERE / "read.go", folder)
    (folder / "go.mod").write_text("module reader\n\ngo 1.21\n")
    return run(
        "go", "run", ".", stdin=b"\n".join(events), cwd=folder, GOTOOLCHAIN="local", GOFLAGS="-mod=mod"
    )


@foreign
def test_classes_of_jsonschema2pojo_lose_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    jars = maven.jars("jsonschema2pojo-1.2.2-with-times", *POJO)
    (tmp_path / "generated").mkdir()
    run(maven.java(), "-cp", f"{jars}/*", HERE / "Generate.java", SCHEMA, tmp_path / "generated")
    sources = sorted((tmp_path / "generated").rglob("*.java"))
    for path in sources:
        text = path.read_text("utf-8").replace("Map<String, Object> additionalProperties", "")
        assert "private Object" not in text
        assert "List<Object>" not in text
    assert "Dateline.java" in {path.name for path in sources}
    written = run_java(jars, sources, "org.wiredesk.pojo.EventV1", tmp_path)
    check(request, f"jsonschema2pojo (Java, {len(sources)} classes)", many_events(), written)


def run_java(jars: Path, sources: Sequence[Path], kind: str, folder: Path) -> bytes:
    classes = folder / "classes"
    run("javac", "-encoding", "UTF-8", "-cp", f"{jars}/*", "-d", classes, *sources, HERE / "Read.java")
    return run(maven.java(), "-cp", f"{classes}:{jars}/*", "Read", kind, stdin=b"\n".join(many_events()))


def generate_by_modelina(language: str, folder: Path, request: pytest.FixtureRequest) -> None:
    modules = npm.modules(*MODELINA)
    told = run(npm.node(), HERE / "modelina.js", language, TWIN, folder, NODE_PATH=str(modules))
    counts = orjson.loads(told)
    assert counts["nameless"] == 0
    assert counts["classes"] > 40
    say(request, f"Modelina ({language}): {counts['classes']} classes, 0 without a name")


@foreign
def test_classes_of_modelina_for_java_lose_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    generate_by_modelina("java", tmp_path / "generated", request)
    jars = maven.jars("jsonschema2pojo-1.2.2-with-times", *POJO)
    sources = sorted((tmp_path / "generated").glob("*.java"))
    written = run_java(jars, sources, "org.wiredesk.models.Event", tmp_path)
    check(request, "Modelina (Java)", many_events(), written)


@foreign
def test_types_of_modelina_for_typescript_take_every_event(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    generate_by_modelina("ts", tmp_path, request)
    # its interfaces know no null of a definition: a story without a dateline has one at run time
    dated = [line.decode() for line in many_events() if b'"dateline":null' not in line]
    literals = ",\n".join(dated[:100])
    (tmp_path / "check.ts").write_text(
        f"import Event from './ReservedEvent';\nexport const events: Event[] = [{literals}];\n"
    )
    tsc = npm.modules(*MODELINA) / ".bin" / "tsc"
    run(tsc, "--strict", "--noEmit", "--target", "es2022", "--module", "commonjs", "check.ts", cwd=tmp_path)


@foreign
@pytest.mark.parametrize("language", ["py", "go"])
def test_classes_of_modelina_have_names_in_other_languages(
    language: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    generate_by_modelina(language, tmp_path, request)
    assert (tmp_path / f"Lineage.{language}").is_file()


READ_CLOUDEVENTS: Final = """
const { Kafka, HTTP } = require("cloudevents");
const { story, tombstone, delivery } = JSON.parse(require("fs").readFileSync(0));
const read = message => message.value === null ? `forget ${message.key}` : Kafka.toEvent(message).subject;
console.log(read(story));
console.log(read(tombstone));
const event = HTTP.toEvent(delivery);
console.log(decodeURIComponent(event.subject), event.relation, decodeURIComponent(event.language), event.dataschema, event.validate());
"""


@foreign
def test_the_cloudevents_sdk_for_javascript_reads_events_tombstones_and_deliveries(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    uri = "https://nda.example/été/1"
    story = replace(full_event(), story=replace(full_event().story, uri=uri))
    routed = event_message("wire.out.a.v1", "chain", story, 0, source="route")

    def kafka(message: Message) -> dict[str, Any]:
        headers = {name: value.decode() for name, value in message.headers}
        return {"key": message.key.decode(), "headers": headers, "value": message.value.decode() or None}

    record = Record(routed.topic, 0, 0, routed.key, routed.value, 0, routed.headers)
    client = TargetClient(Target("desk", "https://desk.example/", "a", (b"secret",)), Webhooks())
    told = {
        "story": kafka(routed),
        "tombstone": kafka(make_tombstone(routed)),
        "delivery": {"headers": client._headers(record), "body": routed.value.decode()},
    }
    modules = npm.modules("cloudevents@10.0.0")
    written = run(
        npm.node(), "-e", READ_CLOUDEVENTS, stdin=orjson.dumps(told), NODE_PATH=str(modules)
    ).decode()
    lineage = story.lineage
    assert lineage
    assert story.language
    assert written.splitlines() == [
        uri,
        "forget chain",
        f"{uri} {lineage.relation} {story.language.tag} https://wiredesk.org/schemas/event.v1.json true",
    ]
    say(
        request,
        "cloudevents (JavaScript): an event, a tombstone behind a look at its value, and a webhook are read",
    )


@foreign
def test_the_timestamp_extractor_of_the_page_takes_the_time_of_reception(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    page = (HERE.parents[1] / "docs" / "events.md").read_text("utf-8")
    [code] = [
        block for block in re.findall(r"```java\n(.*?)```", page, re.DOTALL) if "TimestampExtractor" in block
    ]
    (tmp_path / "ReceivedTime.java").write_text(code, "utf-8")
    shutil.copy(HERE / "Extract.java", tmp_path)
    streams = maven.artifact("kafka-streams-4.1.0.jar", "org.apache.kafka:kafka-streams:4.1.0:jar")
    path = f"{tmp_path}:{streams}:{maven.cache() / 'kafka-4.1.0-with-tools'}/*"
    run("javac", "-cp", path, "-d", tmp_path, tmp_path / "ReceivedTime.java", tmp_path / "Extract.java")
    story = event_message("wire.out.a.v1", "k", full_event(), 1_772_442_904_250, source="route")
    told = (story.header("ce_time") or b"").decode()
    assert run(maven.java(), "-cp", path, "Extract", told).decode().split() == ["1772442904250", "77"]
    say(request, "Kafka Streams: TimestampExtractor of docs/events.md compiles and takes ce_time")


@foreign
@pytest.mark.kafka
async def test_a_story_of_ten_million_characters_stops_no_client_with_default_settings(
    kafka: KafkaForTest, request: pytest.FixtureRequest
) -> None:
    text = "\n\n".join(
        f"Berth {number} of the harbour of Lisbon opened on Monday." for number in range(190_000)
    )
    text = text.ljust(10_000_000, "x")
    story = {"uri": "urn:x:long", "type": "text", "version": "1", "language": "en",
             "headlines": [{"role": "main", "value": "Every berth"}],
             "bodies": [{"role": "main", "contentType": "text/plain", "value": text}]}  # fmt: skip
    raw = RawItem(orjson.dumps(story), "2026-03-02T09:15:04Z", format="ninjs")
    [result] = Pipeline(STEPS, Settings())([Input("-", 1, raw)])
    assert isinstance(result.event, Event)
    made = event_message("big.v1", "urn:x:long", result.event, 1_772_442_904_250, source="tag")
    admin = Cluster(kafka.settings()).admin()
    await admin.start()
    topic = f"{kafka.prefix}big.v1"
    await admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"max.message.bytes": "1048588"})])
    await wait_for_topics(admin, {topic})
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka.servers) as aio:
        await aio.send_and_wait(topic, made.value, key=made.key, headers=list(made.headers))
    librdkafka = Producer({"bootstrap.servers": kafka.servers})
    failed: list[object] = []
    librdkafka.produce(
        topic,
        made.value,
        key=made.key,
        headers=list(made.headers),
        callback=lambda error, _: failed.append(error),
    )
    librdkafka.flush(30)
    assert failed == [None]
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=kafka.servers, auto_offset_reset="earliest"
    ) as consumer:
        values = [(await consumer.getone()).value for _ in range(2)]
    assert values == [made.value] * 2
    whole = result.event.provenance and result.event.provenance.whole
    assert whole
    say(
        request,
        f"10,000,000 characters: an event of {len(made.value):,} bytes for {whole.bytes:,}; aiokafka and librdkafka write and read it",
    )
