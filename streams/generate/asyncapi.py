"""The AsyncAPI 3.0 document: every topic with its messages, headers, key and settings, from the code that makes them.

https://www.asyncapi.com/docs/reference/specification/v3.0.0, Kafka bindings 0.5.0, CloudEvents 1.0 (Kafka binding,
binary mode). Payloads are the JSON Schemas beside it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from config.settings import Settings
from processors.model import event
from processors.model.codec import encode, identify_event, to_builtins
from processors.model.event import (
    DateExpression,
    Dateline,
    Entity,
    Event,
    Feature,
    Language,
    Lineage,
    Mention,
    Place,
    Provenance,
    Quote,
    RawItem,
    Segment,
    SegmentKind,
    Span,
    StepTrace,
)
from processors.model.story import InfoSource, Standard, Story, StoryPlace, Subject, Text
from processors.times import to_milliseconds
from sinks.routes.router import route_topic
from streams.kafka.topics import TopicSpec, wanted_topics
from streams.messages import message
from streams.routing import load_rules
from streams.topology import DEAD_LETTERS, ENRICHED, GAPS, RAW, ROUTE, STEPS, TOPICS, Topic

VERSION: Final = (
    "1.0.0"  # of the contract: the second number grows with optional members, the first never in a topic
)
FORMAT: Final = "application/schema+json;version=draft-2020-12"
BINDING_VERSION: Final = "0.5.0"
ROUTES_CHANNEL: Final = "wire.out.route.v1"  # the channel of all routes, whose address has the route's name
KINDS: Final = {"item": "rawItem", "event": "event", "gap": "gap"}  # by what a topic carries
PUBLIC_TOPICS: Final = tuple(topic for topic in TOPICS if topic.carries in KINDS)  # a state is nobody else's
CLOUD_EVENTS: Final[dict[str, dict[str, Any]]] = {
    "ce_id": {"type": "string", "description": "A hash of what the story says (uri, version, headline, text, lineage), the same on every topic; of raw items one of topic and value. A repeat has the same, so it can be dropped."},
    "ce_source": {"type": "string", "format": "uri-reference", "description": "/wiredesk/ and the step or feed."},
    "ce_type": {"type": "string", "description": "org.wiredesk. and the topic without wire."},
    "ce_specversion": {"type": "string", "const": "1.0"},
    "ce_time": {"type": "string", "format": "date-time", "description": "When the item was received."},
    "content-type": {"type": "string", "const": "application/json"},
    "traceparent": {"type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$", "description": "W3C Trace Context."},
}  # fmt: skip
REASONS: Final[dict[str, dict[str, Any]]] = {
    "x-error-type": {"type": "string", "description": "The class of the error, such as Malformed."},
    "x-error-message": {"type": "string", "maxLength": 2000},
    "x-error-step": {"type": "string", "description": "The step or sink that set it aside."},
    "x-original-topic": {"type": "string"},
    "x-original-partition": {"type": "string", "pattern": "^[0-9]+$"},
    "x-original-offset": {"type": "string", "pattern": "^-?[0-9]+$"},
    "x-attempts": {"type": "string", "pattern": "^[0-9]+$"},
}


def document(settings: Settings) -> dict[str, Any]:
    """The document for the topics that the settings want."""
    there = {topic.name: topic for topic in wanted_topics(settings)}
    channels = {topic.name: _channel(topic, there[topic.name]) for topic in PUBLIC_TOPICS}
    channels |= {
        topic.dead_letters.name: _dead_letters(topic, there[topic.dead_letters.name])
        for topic in PUBLIC_TOPICS
        if topic.dead_letters in DEAD_LETTERS
    }
    channels[ROUTES_CHANNEL] = _out(settings, there)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "wiredesk events",
            "version": VERSION,
            "description": "Clean, deduplicated, segmented and tagged stories. Members may be added; none is removed "
            "or changes its meaning within a topic's version. docs/consuming.md shows how to read.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": {"host": settings.kafka.servers.split(",")[0], "protocol": "kafka"}},
        "channels": {name: channels[name] for name in sorted(channels)},
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": _schemas(), "messageTraits": _traits()},
    }


def _channel(topic: Topic, there: TopicSpec) -> dict[str, Any]:
    kind = KINDS[topic.carries]
    return {
        "address": topic.name,
        "description": f"{_description(topic)} Key: {_key(topic)}",
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
        "bindings": _bindings(there),
    }


def _description(topic: Topic) -> str:
    writers = [step.name for step in STEPS if topic in step.writes]
    return topic.description or f"What {' and '.join(writers)} made."


def _dead_letters(topic: Topic, there: TopicSpec) -> dict[str, Any]:
    kind = "rejectedItem" if topic.carries == "item" else "rejectedEvent"
    return {
        "address": topic.dead_letters.name,
        "description": f"What a reader of {topic.name} set aside: the bytes as they were read, and the reason in headers.",
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
        "bindings": _bindings(there),
    }


def _out(settings: Settings, there: Mapping[str, TopicSpec]) -> dict[str, Any]:
    """The channel of all routes; a compacted one differs in its policy and has tombstones."""
    route_rules = load_rules(settings)
    plain = next((there[rule.topic] for rule in route_rules if not rule.compact), None)
    return {
        "address": route_topic("{route}"),
        "description": "Stories that fit the rule of this name, kills and corrections of them always. Embargoed stories "
        f"come when their time has. Key: {_key(ENRICHED)} A topic whose rule says compact keeps the last event of each "
        "key, and a kill is followed by a tombstone (a null value).",
        "parameters": {
            "route": {
                "description": "The name of a rule of routes.toml.",
                "examples": [rule.name for rule in route_rules],
            }
        },
        "messages": {
            "event": {"$ref": "#/components/messages/event"},
            "tombstone": {"$ref": "#/components/messages/tombstone"},
        },
        "bindings": _bindings(plain) if plain else {},
    }


def _bindings(there: TopicSpec) -> dict[str, Any]:
    config: dict[str, Any] = {
        "cleanup.policy": there.config["cleanup.policy"].split(","),
        "retention.ms": int(there.config["retention.ms"]),
        "max.message.bytes": int(there.config["max.message.bytes"]),
    }
    return {
        "kafka": {
            "partitions": there.partitions,
            "topicConfiguration": config,
            "bindingVersion": BINDING_VERSION,
        }
    }


def _operations() -> dict[str, Any]:
    """What wiredesk itself does: it receives what a step reads and sends what it writes."""
    operations = {"poll.write": _operation("send", RAW.name, "Fetch feeds and watch folders.")}
    operations["poll.gaps"] = _operation("send", GAPS.name, "Tell of stories that may have been missed.")
    for step in STEPS:
        for topic in step.reads:
            operations[f"{step.name}.read.{topic.name.split('.')[2]}"] = _operation(
                "receive", topic.name, f"Step {step.name}."
            )
        for topic in step.writes:
            operations[f"{step.name}.write.{topic.name.split('.')[2]}"] = _operation(
                "send", topic.name, f"Step {step.name}."
            )
    operations["route.read"] = _operation("receive", ROUTE.reads[0].name, "Ask the rules.")
    operations["route.write"] = _operation(
        "send", ROUTES_CHANNEL, "Write to the topics of the rules that fit."
    )
    return operations


def _operation(action: str, topic: str, summary: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{topic}"}, "summary": summary}


def _messages() -> dict[str, Any]:
    events = {name: event for name, event in examples().items() if isinstance(event, Event)}
    raw = {name: item for name, item in examples().items() if isinstance(item, RawItem)}
    trait, reason = (
        {"$ref": "#/components/messageTraits/cloudEvent"},
        {"$ref": "#/components/messageTraits/reason"},
    )
    return {
        "rawItem": _message("Raw item", "raw-item.v1.json", [trait], [_example(RAW, n, e) for n, e in raw.items()]),
        "event": _message("Event", "event.v1.json", [trait], [_example(ENRICHED, n, e) for n, e in events.items()]),
        "gap": _message("Gap", "gap.v1.json", [trait], []),
        "rejectedItem": _message("Rejected item", "raw-item.v1.json", [reason], []),
        "rejectedEvent": _message("Rejected event", "event.v1.json", [reason], []),
        "tombstone": {
            "name": "tombstone", "title": "Tombstone", "traits": [trait],
            "payload": {"type": "null"}, "bindings": _keyed(),
        },
    }  # fmt: skip


def _message(
    title: str, schema: str, traits: list[dict[str, Any]], shown: list[dict[str, Any]]
) -> dict[str, Any]:
    described = {
        "name": title.lower().replace(" ", "-"),
        "title": title,
        "contentType": "application/json",
        "payload": {"schemaFormat": FORMAT, "schema": {"$ref": f"./{schema}"}},
        "traits": traits,
        "bindings": _keyed(),
    }
    return {**described, "examples": shown} if shown else described


def _keyed() -> dict[str, Any]:
    return {"kafka": {"key": {"type": "string"}, "bindingVersion": BINDING_VERSION}}


def _example(topic: Topic, name: str, example: Event | RawItem) -> dict[str, Any]:
    """An example as it stands on a topic, with the headers that it has there."""
    source = "route" if isinstance(example, Event) else "nda-world"
    out = route_topic("harbours") if isinstance(example, Event) else topic.name
    identity = identify_event(example) if isinstance(example, Event) else ""
    received = to_milliseconds(RECEIVED_AT)
    record = message(out, "", encode(example), received, source=source, identity=identity)
    headers = {header: value.decode() for header, value in record.headers}
    return {"name": name, "headers": headers, "payload": to_builtins(example)}


def _schemas() -> dict[str, Any]:
    def headers_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": "object", "required": sorted(properties), "properties": dict(properties)}

    return {"cloudEventHeaders": headers_schema(CLOUD_EVENTS), "reasonHeaders": headers_schema(REASONS)}


def _traits() -> dict[str, Any]:
    return {
        "cloudEvent": {"headers": {"$ref": "#/components/schemas/cloudEventHeaders"}},
        "reason": {"headers": {"$ref": "#/components/schemas/reasonHeaders"}},
    }


def _key(topic: Topic) -> str:
    """What a topic is keyed by, from the docstring of its key."""
    name = {
        "by_feed": "the feed's id",
        "by_one_key": "one constant key",
        "by_chain": "the chain's id (lineage.story)",
    }
    meaning = inspect.getdoc(topic.key) or ""
    return f"{name[topic.key.__name__]}. {meaning}"


RECEIVED_AT: Final = "2026-03-02T09:15:04.120Z"
URI: Final = "urn:newsml:nda.example:20260302:harbour-veldhaven"
HEADLINE: Final = "Harbour of Veldhaven opens after the ice"
BODY: Final = (
    "VELDHAVEN, March 2 (NDA) - The harbour of Veldhaven opened on Monday for the first time since January.\n\n"
    '"The last ice left at dawn," harbour master Mila Brandsma told reporters.\n\n'
    "(Reporting by Otto Vreed)"
)


def examples() -> dict[str, Event | RawItem]:
    """Every example by the name of its file."""
    first = _new()
    raw = RawItem(
        BODY.encode(), RECEIVED_AT, feed="nda-world", url="https://nda.example/feed", format="plain-text"
    )
    return {
        "raw-item": raw,
        "event-new": first,
        "event-update": _version(first, "update", "3", f"{HEADLINE}; first ship in"),
        "event-correction": _version(first, "correction", "4", "Harbour of Veldhaven opens on Monday"),
        "event-kill": _kill(first),
        "event-duplicate": _duplicate(first),
        "event-embargoed": replace(
            first, story=replace(first.story, pub_status="withheld", embargoed_until="2026-03-02T12:00:00Z")
        ),
    }


def _new() -> Event:
    story = Story(
        URI, type="text", version="2", first_created="2026-03-02T09:10:00Z", version_created="2026-03-02T09:15:00Z",
        pub_status="usable", urgency=4, language="en",
        bodies=(Text(BODY, "main", "text/plain"),), headlines=(Text(HEADLINE, "main", "text/plain"),),
        places=(StoryPlace("Veldhaven", "located"),),
        subjects=(Subject("waterway and maritime transport", None, "medtop:20000343", creator="wiredesk"),),
        info_sources=(InfoSource("NDA"),), located="Veldhaven", standard=Standard(),
    )  # fmt: skip
    quote = "The last ice left at dawn,"
    return Event(
        story, HEADLINE, BODY, Language("en", 0.99, "en"), Lineage(URI, "new"),
        segments=(
            _segment("VELDHAVEN, March 2 (NDA) -", "dateline"),
            _segment("The harbour of Veldhaven opened on Monday for the first time since January.", "paragraph"),
            _segment(f'"{quote}" harbour master Mila Brandsma told reporters.', "paragraph"),
            _segment("(Reporting by Otto Vreed)", "signoff"),
        ),
        dateline=Dateline(
            *_at("VELDHAVEN, March 2 (NDA) -"), (Place("Veldhaven", "NL", 51.42, 5.4),), "2026-03-02", "NDA"
        ),
        quotes=(
            Quote(*_at(quote), "direct", Span(*_at("Mila Brandsma"), "Mila Brandsma", "e2"), Span(*_at("told"), "told")),
        ),
        damage=(),
        mentions=(
            Mention(*_at("Veldhaven"), "Veldhaven", "LOC", "e1"),
            Mention(*_at("Mila Brandsma"), "Mila Brandsma", "PER", "e2"),
        ),
        entities=(
            Entity("e1", "LOC", "Veldhaven", place=Place("Veldhaven", "NL", 51.42, 5.4)),
            Entity("e2", "PER", "Mila Brandsma", roles=("harbour master",)),
        ),
        dates=(DateExpression(*_at("Monday"), "Monday", "2026-03-02"),),
        topics=(event.Topic("medtop:20000343", "waterway and maritime transport", 0.83),),
        provenance=_provenance(RECEIVED_AT),
    )  # fmt: skip


def _version(first: Event, relation: str, version: str, headline: str) -> Event:
    """A later version of the first event, by the same publisher."""
    story = replace(
        first.story, version=version, version_created=f"2026-03-02T1{version}:00:00Z",
        headlines=(Text(headline, "main", "text/plain"),),
    )  # fmt: skip
    lineage = Lineage(URI, relation, URI, 0.97, int(version) - 1)  # type: ignore[arg-type]
    return replace(
        first, story=story, headline=headline, lineage=lineage,
        provenance=_provenance(f"2026-03-02T1{version}:00:02.500Z"),
    )  # fmt: skip


def _kill(first: Event) -> Event:
    text = "Kill the story slugged HARBOUR-VELDHAVEN. The harbour is closed. A substitute will follow."
    return Event(
        Story(f"{URI}-kill", type="text", version_created="2026-03-02T15:00:00Z", pub_status="canceled", language="en"),
        "KILL: Harbour of Veldhaven", text, first.language, Lineage(URI, "kill", URI, None, 4),
        segments=(Segment(0, len(text), "note"),), quotes=(), damage=(), mentions=(), entities=(), dates=(), topics=(),
        provenance=_provenance("2026-03-02T15:00:03Z"),
    )  # fmt: skip


def _duplicate(first: Event) -> Event:
    """The same report from another feed: neither segmented nor tagged."""
    return Event(
        replace(first.story, uri="https://harbour-times.example/2026/03/ice", version=None, urgency=None),
        HEADLINE, BODY, first.language, Lineage(URI, "duplicate", URI, 0.99, 1),
        provenance=replace(
            _provenance("2026-03-02T09:20:11Z"), feed="harbour-times", steps=_steps("normalise", "deduplicate")
        ),
    )  # fmt: skip


def _provenance(received: str) -> Provenance:
    return Provenance(
        received, "plain-text", "nda-world", "https://nda.example/feed",
        steps=_steps("normalise", "deduplicate", "segment", "tag"),
    )  # fmt: skip


def _steps(*names: str) -> tuple[StepTrace, ...]:
    features = {"deduplicate": (Feature("resemblance", 0.97),)}
    return tuple(StepTrace(name, "1", features.get(name, ())) for name in names)


def _at(words: str) -> tuple[int, int]:
    start = BODY.index(words)
    return start, start + len(words)


def _segment(words: str, kind: SegmentKind) -> Segment:
    return Segment(*_at(words), kind)
