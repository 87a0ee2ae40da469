"""The AsyncAPI 3.0 document: every topic with its messages, headers, key and settings, from the code that makes them.

https://www.asyncapi.com/docs/reference/specification/v3.0.0, Kafka bindings 0.5.0, CloudEvents 1.0 (Kafka binding,
binary mode). Payloads are the JSON Schemas beside it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

from config.settings import Settings
from processors.model.codec import encode, to_builtins
from processors.model.event import Event, RawItem
from processors.model.schema import SCHEMA_IDS
from processors.times import to_milliseconds
from sinks.routes.router import route_topic
from streams.generate.examples import RECEIVED_AT, examples
from streams.kafka.topics import TopicSpec, wanted_topics
from streams.messages import event_message, message
from streams.routing import load_rules
from streams.topology import DEAD_LETTERS, ENRICHED, GAPS, NORMALISED, RAW, ROUTE, STEPS, TOPICS, Topic

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
    "ce_time": {"type": "string", "format": "date-time", "description": "When the item was received here. The record's own timestamp is when the broker wrote it (LogAppendTime), unless kafka.record_time says otherwise."},
    "ce_dataschema": {"type": "string", "format": "uri", "enum": sorted(SCHEMA_IDS.values()), "description": "The $id of the JSON Schema of the value."},
    "content-type": {"type": "string", "const": "application/json"},
    "traceparent": {"type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$", "description": "W3C Trace Context."},
}  # fmt: skip
# Of events beside those; each is absent where there is nothing to say, or where it takes more than 2,048 bytes.
EVENT_ATTRIBUTES: Final[dict[str, dict[str, Any]]] = {
    "ce_subject": {"type": "string", "description": "The story's uri (story.uri)."},
    "ce_relation": {"$ref": "./event.v1.json#/$defs/Relation"},
    "ce_language": {"type": "string", "description": "The language of the text: a BCP 47 tag."},
    "ce_published": {"type": "string", "format": "date-time", "description": "When the publisher made this version (story.versionCreated)."},
    "ce_rawitem": {"type": "string", "pattern": "^[A-Za-z0-9._-]+/[0-9]+/[0-9]+$", "description": "Where the publisher's own bytes stand: topic (without prefix), partition and offset. Not on routes."},
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
    kind = "unplacedEvent" if topic == NORMALISED else KINDS[topic.carries]
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
    clock = there.config["message.timestamp.type"]
    return {
        "kafka": {
            "partitions": there.partitions,
            "topicConfiguration": config,
            "x-message.timestamp.type": clock,
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
    trait, about, reason, forgotten = (
        {"$ref": f"#/components/messageTraits/{name}"}
        for name in ("cloudEvent", "event", "reason", "tombstone")
    )
    return {
        "rawItem": _message("Raw item", "raw-item.v1.json", [trait], [_example(RAW, n, e) for n, e in raw.items()]),
        "event": _message("Event", "event.v1.json", [trait, about], [_example(ENRICHED, n, e) for n, e in events.items()]),
        "unplacedEvent": {
            **_message("Unplaced event", "event.v1.json", [trait, about], []),
            "description": "An event before deduplication: lineage, and what later steps add, is not there yet.",
            "payload": {"schemaFormat": FORMAT, "schema": _unplaced_schema()},
        },
        "gap": _message("Gap", "gap.v1.json", [trait], []),
        "rejectedItem": _message("Rejected item", "raw-item.v1.json", [reason], []),
        "rejectedEvent": _message("Rejected event", "event.v1.json", [reason], []),
        "tombstone": {
            "name": "tombstone", "title": "Tombstone", "traits": [forgotten],
            "description": "The story of this key is to be forgotten. Look at the value first: SDKs of CloudEvents for "
            "JavaScript and Python (v1) read no message without a value.",
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


def _unplaced_schema() -> dict[str, Any]:
    """The members that an event has from its first step on, each as it is later."""
    members = ("story", "headline", "text", "language", "provenance")
    return {
        "type": "object",
        "properties": {name: {"$ref": f"./event.v1.json#/properties/{name}"} for name in members},
        "required": ["story", "headline", "text", "provenance"],
    }


def _keyed() -> dict[str, Any]:
    return {"kafka": {"key": {"type": "string"}, "bindingVersion": BINDING_VERSION}}


def _example(topic: Topic, name: str, example: Event | RawItem) -> dict[str, Any]:
    """An example as it stands on a topic, with the headers that it has there."""
    received = to_milliseconds(RECEIVED_AT)
    if isinstance(example, Event):
        record = event_message(route_topic("harbours"), "", example, received, source="route")
    else:
        record = message(topic.name, "", encode(example), received, source="nda-world", schema=RawItem)
    headers = {header: value.decode() for header, value in record.headers}
    return {"name": name, "headers": headers, "payload": to_builtins(example)}


def _schemas() -> dict[str, Any]:
    def headers_schema(properties: Mapping[str, Any], *, optional: bool = False) -> dict[str, Any]:
        required = {} if optional else {"required": sorted(properties)}
        return {"type": "object", **required, "properties": dict(properties)}

    forgotten = {
        name: described
        for name, described in CLOUD_EVENTS.items()
        if name not in {"content-type", "ce_dataschema"}
    }
    return {
        "cloudEventHeaders": headers_schema(CLOUD_EVENTS),
        "eventHeaders": headers_schema(EVENT_ATTRIBUTES, optional=True),
        "tombstoneHeaders": headers_schema(
            {**forgotten, "ce_type": {"type": "string", "pattern": r"^org\.wiredesk\..+\.forgotten$"}}
        ),
        "reasonHeaders": headers_schema(REASONS),
    }


def _traits() -> dict[str, Any]:
    names = ("cloudEvent", "event", "tombstone", "reason")
    return {name: {"headers": {"$ref": f"#/components/schemas/{name}Headers"}} for name in names}


def _key(topic: Topic) -> str:
    """What a topic is keyed by, from the docstring of its key."""
    name = {
        "by_feed": "the feed's id",
        "by_one_key": "one constant key",
        "by_chain": "the chain's id (lineage.story)",
    }
    meaning = inspect.getdoc(topic.key) or ""
    return f"{name[topic.key.__name__]}. {meaning}"
