"""Every setting: its type, range, default and meaning; read from TOML and the environment.

`load` reads one TOML file over the defaults. A variable ``WIREDESK_<SECTION>_<NAME>`` (``WIREDESK_KAFKA_SERVERS``)
beats the file; ``WIREDESK_<SECTION>_<NAME>_FILE`` names a file that holds the value, which is how secrets come in.
An unknown section, name or variable, or a value of the wrong type or out of range, raises `Misconfigured`: one line
with the file or variable, the key, the value and what is allowed. A secret's value is never shown.

``make settings`` writes `config/wiredesk.toml` and `docs/settings.md` from these structs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from config import Misconfigured, raise_fault
from config.poll_settings import Poll as Poll  # noqa: PLC0414 -- read from here by all
from config.poll_settings import Push as Push  # noqa: PLC0414 -- read from here by all
from config.reader import SettingsReader, convert_value, replace_value
from config.reader_settings import Alerts as Alerts  # noqa: PLC0414 -- read from here by all
from config.reader_settings import Desk as Desk  # noqa: PLC0414 -- read from here by all
from config.reader_settings import Routes as Routes  # noqa: PLC0414 -- read from here by all
from config.reader_settings import Webhooks as Webhooks  # noqa: PLC0414 -- read from here by all
from config.schema import (
    LANGUAGES,
    ByteCount,
    Count,
    HostName,
    HourCount,
    MailParts,
    NameCount,
    OwnFile,
    PortNumber,
    all_settings,
)
from config.store_settings import MEBIBYTE_BYTES
from config.store_settings import Elasticsearch as Elasticsearch  # noqa: PLC0414 -- read from here by all
from config.store_settings import EmbeddedSettings as EmbeddedSettings  # noqa: PLC0414 -- read from here by all
from config.store_settings import Kafka as Kafka  # noqa: PLC0414 -- read from here by all


class Normalise(Struct, frozen=True):
    """How raw items are read."""

    # smaller: whole feeds and G2 packages are lost; larger: base64 of an item
    # no longer fits kafka.max_message_bytes
    max_item_bytes: Annotated[ByteCount, Meta(description="A larger raw item is rejected.")] = (
        15 * MEBIBYTE_BYTES
    )
    max_entries: Annotated[Count, Meta(description="Entries that are read of one feed document.")] = 2000
    max_parts: MailParts = 100
    languages: Annotated[
        tuple[str, ...],
        Meta(
            description="Languages among which detection chooses. Empty: all that the detector knows.",
            extra={"choices": LANGUAGES},
        ),
    ] = ()
    feed_markup: Annotated[
        bool,
        Meta(
            description="Keep bodies of feeds as sanitised HTML too, as those of other formats are: a fifth slower, "
            "and events twice as long."
        ),
    ] = False


class Deduplicate(Struct, frozen=True):
    """How repeats and versions are found."""

    # shorter: a correction of the day before yesterday begins a chain of its own; longer: 1 kB of memory a story (docs/quality.md)
    window_hours: Annotated[HourCount, Meta(description="How long a story is remembered.")] = 72
    # lower: notices written by one template become versions of each other; higher: shortened copies come out as new
    threshold: Annotated[
        float,
        Meta(ge=0, le=1, description="Likeness from which two stories belong together; 1: equal words."),
    ] = 0.5
    max_stories: Annotated[
        Count, Meta(description="Stories that are remembered of one language; the oldest go first.")
    ] = 2_000_000


class SegmentSettings(Struct, frozen=True):
    """How dispatches are taken apart."""

    # less: long transcripts lose their segments; more: one text holds a worker for long
    max_chars: Annotated[Count, Meta(description="A longer text is one paragraph.")] = 2_000_000


class Tag(Struct, frozen=True):
    """How stories are tagged."""

    pipeline: Annotated[
        str,
        Meta(
            min_length=1,
            description="The pipeline of the package; or any installed spaCy pipeline, or a path to one.",
        ),
    ] = "wiredesk"
    # less: names late in a long text are missed; more: one text holds a worker for long
    max_chars: Annotated[Count, Meta(description="A text is tagged up to here.")] = 100_000
    max_names: NameCount = 5_000
    watchlists: Annotated[OwnFile, Meta(description="File of the names to look for. Empty: none.")] = (
        "watchlists.toml"
    )


class ClusterSettings(Struct, frozen=True):
    """How reports of one happening are put together."""

    # shorter: slow stories begin anew; longer: next week's match joins this one, and 1.2 kB of memory a story
    window_hours: Annotated[
        HourCount, Meta(description="How long a story is remembered; a cluster stays open while it grows.")
    ] = 7 * 24
    max_stories: Annotated[Count, Meta(description="Stories that are remembered; the oldest go first.")] = (
        1_000_000
    )


class Events(Struct, frozen=True):
    """What leaves the pipeline for readers: docs/consuming.md, "How large"."""

    # smaller: features lose their end; larger: readers of Kafka with default settings stop (1,048,576 bytes)
    max_bytes: Annotated[
        int,
        Meta(
            ge=16_384,
            le=2_147_483_647,
            description="Of one event with its key and headers; a longer one carries the head of its text, and says so.",
        ),
    ] = 1_000_000
    repeat_text: Annotated[
        bool, Meta(description="Carry a body that equals the text in story.bodies too, for readers of ninjs.")
    ] = True


class Steps(Struct, frozen=True):
    """What holds for every step, and for the documents that are polled."""

    # shorter: the longest honest text (segment.max_chars, tag.max_chars: seconds on a slow core) is taken for a bad
    # one; longer: one that hangs holds its partition three times as long
    deadline_s: Annotated[
        float,
        Meta(
            ge=0.1,
            le=3600,
            description="A record that takes longer is stopped, run again alone, and set aside after three times.",
        ),
    ] = 30.0


class Health(Struct, frozen=True):
    """Where a worker, poller or sink answers /livez, /readyz and /metrics."""

    host: Annotated[HostName, Meta(description="The address to answer on.")] = "127.0.0.1"
    port: Annotated[PortNumber, Meta(description="0: any free port, named in the log.")] = 0


class LogSettings(Struct, frozen=True):
    """What is written to standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least that is written.")
    ] = "info"
    format: Annotated[
        Literal["text", "json"], Meta(description="text: for people; json: for collectors.")
    ] = "text"


class EventsSink(Struct, frozen=True):
    """The file of events: each event that leaves the pipeline, as a line."""

    file: Annotated[
        str, Meta(description="File that events are appended to, from the working folder. Empty: none.")
    ] = ""


class Sinks(Struct, frozen=True):
    """Where events go, besides the index: a section for each sink that has settings."""

    events: EventsSink = EventsSink()


class Settings(Struct, frozen=True):
    """All sections."""

    normalise: Normalise = Normalise()
    deduplicate: Deduplicate = Deduplicate()
    segment: SegmentSettings = SegmentSettings()
    tag: Tag = Tag()
    cluster: ClusterSettings = ClusterSettings()
    events: Events = Events()
    steps: Steps = Steps()
    poll: Poll = Poll()
    push: Push = Push()
    embedded: EmbeddedSettings = EmbeddedSettings()
    kafka: Kafka = Kafka()
    elasticsearch: Elasticsearch = Elasticsearch()
    routes: Routes = Routes()
    webhooks: Webhooks = Webhooks()
    alerts: Alerts = Alerts()
    sinks: Sinks = Sinks()
    desk: Desk = Desk()
    health: Health = Health()
    log: LogSettings = LogSettings()


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of a TOML file (or none) under those of the environment.

    Raises:
        Misconfigured: the file can't be read or is no TOML; a section, name or variable is unknown; a value has the
            wrong type or is out of range; two values contradict each other.
    """
    return read_settings(path, environment)[0]


def read_settings(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    on_fault: Callable[[Misconfigured], None] = raise_fault,
) -> tuple[Settings, SettingsReader[Settings]]:
    """The same, with the reader that knows where each was said. `on_fault` gets each fault, by default raised.

    Raises:
        Misconfigured: the file can't be read, or is no TOML.
    """
    reader = SettingsReader(Settings, on_fault)
    if path:
        reader.add_file(path)
    reader.add_environment(os.environ if environment is None else environment)
    settings = reader.build()
    low, high = settings.poll.min_interval_s, settings.poll.max_interval_s
    if low > high:
        where = reader.written_in("poll.min_interval_s", "poll.max_interval_s")
        line = f"{where}: poll.min_interval_s is {low:g}; it must be at most poll.max_interval_s, which is {high:g}"
        on_fault(Misconfigured(line))
    if settings.elasticsearch.ca_file and not settings.elasticsearch.url.startswith("https://"):
        where = reader.written_in("elasticsearch.ca_file")
        on_fault(Misconfigured(f"{where}: elasticsearch.ca_file needs an elasticsearch.url with https://"))
    return settings, reader


def override_settings(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """The settings under what the command line says: ``{"desk.port": 9000}``; a value of None changes nothing.

    Raises:
        Misconfigured: a value is out of range.
    """
    by_key = {setting.key: setting for setting in all_settings(Settings)}
    for key, value in values.items():
        if value is not None:
            converted = convert_value(by_key[key], value, "command line")
            settings = replace_value(settings, by_key[key].path, converted)
    return settings
