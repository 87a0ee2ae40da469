"""Every setting: its type, range, default and meaning; read from TOML and the environment.

`load` reads one TOML file over the defaults. A variable ``WIREDESK_<SECTION>_<NAME>`` (``WIREDESK_KAFKA_SERVERS``)
beats the file; ``WIREDESK_<SECTION>_<NAME>_FILE`` names a file that holds the value, which is how secrets come in.
An unknown section, name or variable, or a value of the wrong type or out of range, raises `Misconfigured`: one line
with the file or variable, the key, the value and what is allowed. A secret's value is never shown.

``make settings`` writes `config/wiredesk.toml` and `docs/settings.md` from these structs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from config import Misconfigured
from config.reader import SettingsReader, convert_value, replace_value
from config.schema import (
    LANGUAGES,
    ByteCount,
    Count,
    DelaySeconds,
    FeedHourBytes,
    HostName,
    HourCount,
    LetterDayBytes,
    MailParts,
    NameCount,
    NetworkList,
    OriginList,
    OwnFile,
    PortNumber,
    PositiveSeconds,
    ProxyList,
    Secret,
    all_settings,
)
from config.store_settings import MEBIBYTE_BYTES
from config.store_settings import Elasticsearch as Elasticsearch  # noqa: PLC0414 -- read from here by all
from config.store_settings import EmbeddedSettings as EmbeddedSettings  # noqa: PLC0414 -- read from here by all
from config.store_settings import Kafka as Kafka  # noqa: PLC0414 -- read from here by all

HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S


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


class Poll(Struct, frozen=True):
    """How feeds are fetched. Times in seconds, sizes in bytes after decoding."""

    feeds: Annotated[OwnFile, Meta(min_length=1, description="File of the feeds to poll, TOML or OPML.")] = (
        "feeds.toml"
    )
    user_agent: Annotated[
        str,
        Meta(
            pattern=r"^[!-~]([ -~]*[!-~])?$",
            description="Who we are, for the hosts that we ask.",
            extra={"allowed": "visible ASCII, not empty"},
        ),
    ] = "wiredesk/0.1 (+https://github.com/wiredesk/wiredesk)"
    # shorter: hosts answer 429; longer: news of a busy feed is late
    min_interval_s: Annotated[
        PositiveSeconds, Meta(description="Shortest time between two polls of a feed.")
    ] = 60.0
    # shorter: requests for nothing; longer: the first news after a silence is late
    max_interval_s: Annotated[
        PositiveSeconds, Meta(description="Longest time between two polls of a feed.")
    ] = 6 * HOUR_S
    first_interval_s: Annotated[
        PositiveSeconds, Meta(description="Time between two polls until a feed's own rhythm is known.")
    ] = 300.0
    # some servers answer 304 for ever: longer hides their news, shorter fetches bodies for nothing
    unconditional_s: Annotated[
        PositiveSeconds,
        Meta(description="After this time a feed is fetched whole, whatever its validators say."),
    ] = DAY_S
    connect_timeout_s: Annotated[PositiveSeconds, Meta(description="For the connection to a host.")] = 10.0
    read_timeout_s: Annotated[PositiveSeconds, Meta(description="Between two pieces of a body.")] = 30.0
    total_timeout_s: Annotated[
        PositiveSeconds, Meta(description="For a request, its redirects and its body.")
    ] = 60.0
    max_body_bytes: Annotated[ByteCount, Meta(description="A longer body is not read to its end.")] = (
        15 * MEBIBYTE_BYTES
    )
    max_entries: Annotated[Count, Meta(description="Entries that are read of one feed document.")] = 2000
    max_feed_bytes_per_hour: FeedHourBytes = 256 * MEBIBYTE_BYTES
    max_letter_bytes_per_day: LetterDayBytes = 8 * MEBIBYTE_BYTES
    max_redirects: Annotated[int, Meta(ge=0, le=100, description="Redirects that are followed.")] = 10
    # shorter: a passing fault of a server moves a feed; longer: each poll pays for the redirect
    move_after_s: Annotated[
        DelaySeconds, Meta(description="A permanent redirect that is seen for so long moves the feed.")
    ] = 7 * DAY_S
    # more connections, or a shorter delay, and hosts with many feeds refuse us; fewer, and their feeds wait for each other
    host_connections: Annotated[
        int, Meta(ge=1, le=1000, description="Connections to one host at the same time.")
    ] = 2
    host_delay_s: Annotated[
        DelaySeconds, Meta(description="Time between the starts of two requests to one host.")
    ] = 5.0
    max_backoff_s: Annotated[
        PositiveSeconds, Meta(description="Longest time between two polls of a failing feed.")
    ] = DAY_S
    concurrency: Annotated[
        int, Meta(ge=1, le=65_535, description="Requests at the same time, over all hosts.")
    ] = 64
    robots: Annotated[
        bool, Meta(description="Ask each host for robots.txt (RFC 9309) before its feeds, and obey it.")
    ] = False
    allowed_addresses: NetworkList = ()
    subscribed_interval_s: Annotated[
        PositiveSeconds, Meta(description="Time between two polls of a feed whose hub sends its news to us.")
    ] = HOUR_S
    drop_folder: Annotated[str, Meta(description="Folder that is watched for wire files. Empty: none.")] = ""
    drop_interval_s: Annotated[
        PositiveSeconds, Meta(description="Time between two looks at the drop folder.")
    ] = 1.0


class Push(Struct, frozen=True):
    """Where others send items: POST /push with the token, and deliveries of WebSub hubs. Pollers answer there."""

    host: Annotated[HostName, Meta(description="The address to answer on.")] = "127.0.0.1"
    port: Annotated[PortNumber, Meta(description="0: closed.")] = 0
    token: Annotated[
        Secret,
        Meta(
            description="Must be set where the port is open: WIREDESK_PUSH_TOKEN, or WIREDESK_PUSH_TOKEN_FILE."
        ),
    ] = ""
    public_url: Annotated[
        str,
        Meta(
            pattern=r"^$|^https?://[^\s/]\S*$",
            description="Where hubs reach us, such as https://wire.example.org. Empty: no WebSub.",
            extra={"url": True, "allowed": "an address that begins with http:// or https://, or empty"},
        ),
    ] = ""
    lease_s: Annotated[PositiveSeconds, Meta(description="The lease that we ask hubs for.")] = 10 * DAY_S
    allow_http: Annotated[
        bool,
        Meta(
            description="Also subscribe at hubs without TLS, on the way to which anybody may read the secret by which they sign."
        ),
    ] = False
    proxies: ProxyList = ()


class Routes(Struct, frozen=True):
    """Which stories go to topics of their own."""

    file: Annotated[OwnFile, Meta(description="File of the rules. Empty: none.")] = "routes.toml"
    memory_hours: Annotated[
        HourCount,
        Meta(description="So long after a chain's last event kills and corrections still follow it."),
    ] = 30 * 24


class Webhooks(Struct, frozen=True):
    """How routed stories are posted to whoever asked for them. Times in seconds, sizes in bytes."""

    file: Annotated[OwnFile, Meta(description="File of the targets, see docs/consuming.md. Empty: none.")] = (
        ""
    )
    allowed_addresses: NetworkList = ()
    allow_http: Annotated[
        bool, Meta(description="Also post to targets without TLS; those on this machine never need it.")
    ] = False
    connect_timeout_s: Annotated[PositiveSeconds, Meta(description="For the connection to a target.")] = 5.0
    timeout_s: Annotated[PositiveSeconds, Meta(description="Of one try, the answer included.")] = 15.0
    max_bytes: Annotated[ByteCount, Meta(description="Of a body; a larger story becomes a dead letter.")] = (
        MEBIBYTE_BYTES
    )
    max_redirects: Annotated[
        int, Meta(ge=0, le=100, description="307 and 308 only; each hop must be an allowed address.")
    ] = 0
    # 15 tries with doubled delays up to an hour span three hours at the most: fewer lose stories to a short outage, more
    # keep those of a dead target waiting
    attempts: Annotated[
        int, Meta(ge=1, le=1000, description="Tries before a story becomes a dead letter.")
    ] = 15
    first_delay_s: Annotated[
        DelaySeconds, Meta(description="Longest wait before the second try; doubled from try to try.")
    ] = 1.0
    max_delay_s: Annotated[DelaySeconds, Meta(description="Longest wait before a try.")] = HOUR_S
    circuit_failures: Annotated[
        int,
        Meta(ge=1, le=1000, description="Failures in a row after which only one story is tried at a time."),
    ] = 5
    circuit_s: Annotated[DelaySeconds, Meta(description="Time until that one try.")] = 60.0
    concurrency: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="Stories in flight to one target; those of one chain go one after the other.",
        ),
    ] = 8


class Desk(Struct, frozen=True):
    """The web page and its API. Any host but loopback demands a token."""

    host: Annotated[HostName, Meta(description="The address to answer on.")] = "127.0.0.1"
    port: Annotated[PortNumber, Meta(description="0: any free port, named in the log.")] = 8080
    token: Annotated[
        Secret, Meta(description="What readers show. WIREDESK_DESK_TOKEN_FILE names a file with it.")
    ] = ""
    search: Annotated[
        Literal["embedded", "elasticsearch"], Meta(description="The index that `wiredesk export` reads.")
    ] = "embedded"
    page_size: Annotated[int, Meta(ge=1, le=1000, description="Stories of one page.")] = 50
    # shorter: searches of a large index fail while the disk is busy; longer: one reader holds up the others
    search_timeout_s: Annotated[
        PositiveSeconds, Meta(description="A search that takes longer is given up.")
    ] = 2.0
    proxies: ProxyList = ()
    allowed_origins: OriginList = ()


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
    reader = SettingsReader(Settings)
    if path:
        reader.add_file(path)
    reader.add_environment(os.environ if environment is None else environment)
    settings = reader.build()
    low, high = settings.poll.min_interval_s, settings.poll.max_interval_s
    if low > high:
        where = reader.written_in("poll.min_interval_s", "poll.max_interval_s")
        raise Misconfigured(
            f"{where}: poll.min_interval_s is {low:g}; it must be at most poll.max_interval_s, which is {high:g}"
        )
    if settings.elasticsearch.ca_file and not settings.elasticsearch.url.startswith("https://"):
        where = reader.written_in("elasticsearch.ca_file")
        raise Misconfigured(f"{where}: elasticsearch.ca_file needs an elasticsearch.url with https://")
    return settings


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
