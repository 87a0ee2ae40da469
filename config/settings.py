"""Every setting, its unit and its default; read from TOML and the environment.

`load` reads one TOML file over the defaults. A variable ``WIREDESK_<SECTION>_<NAME>`` (``WIREDESK_KAFKA_SERVERS``)
beats the file; ``WIREDESK_<SECTION>_<NAME>_FILE`` names a file that holds the value, which is how secrets come in.
An unknown section or name, or a value of the wrong type, raises `Misconfigured` with the name and what is allowed.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from config.errors import Misconfigured

HERE = Path(__file__).resolve().parent
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Normalise:
    """How raw items are read."""

    max_item_bytes: int = 15 * MEBIBYTE
    max_entries: int = 2000  # of one feed document
    languages: tuple[str, ...] = ()  # limits language detection; empty: every language the detector knows
    feed_markup: bool = False  # keep bodies of feeds as sanitised HTML too, as those of other formats are


@dataclass(frozen=True, slots=True)
class Deduplicate:
    """How repeats and versions are found."""

    window_hours: int = 72
    threshold: float = 0.5
    max_stories: int = 2_000_000  # remembered of one language; the oldest go first


@dataclass(frozen=True, slots=True)
class Segment:
    """How dispatches are taken apart."""

    max_chars: int = 2_000_000  # a longer text is one paragraph


@dataclass(frozen=True, slots=True)
class Tag:
    """How stories are tagged."""

    pipeline: str = "wiredesk"  # the one in the package; else any installed spaCy pipeline, or a path to one
    max_chars: int = 100_000  # tagged up to here
    watchlists: str = "watchlists.toml"  # names to look for: a file in config/, or a path; empty: none


@dataclass(frozen=True, slots=True)
class Poll:
    """How feeds are fetched. Times in seconds, sizes in bytes after decoding."""

    feeds: str = "feeds.toml"  # a name in config/, or a path
    user_agent: str = "wiredesk/0.1 (+https://github.com/wiredesk/wiredesk)"
    min_interval_s: float = 60.0
    max_interval_s: float = 6 * 3600.0
    first_interval_s: float = 300.0  # until a feed's own rhythm is known
    unconditional_s: float = 24 * 3600.0
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    total_timeout_s: float = 60.0
    max_body_bytes: int = 15 * MEBIBYTE
    max_entries: int = 2000
    max_redirects: int = 10
    move_after_s: float = 7 * 24 * 3600.0  # a permanent redirect that is seen for so long moves the feed
    host_connections: int = 2
    host_delay_s: float = 5.0  # between the starts of two requests to one host
    max_backoff_s: float = 24 * 3600.0
    concurrency: int = 64  # requests at once, over all hosts
    robots: bool = False  # ask hosts for robots.txt (RFC 9309), and obey it
    allowed_addresses: tuple[str, ...] = ()  # networks (CIDR, or address:port) opened beside the public ones
    subscribed_interval_s: float = 3600.0  # between polls of a feed whose hub tells us of news
    drop_folder: str = ""  # watched for wire files; empty: none
    drop_interval_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Push:
    """Where others send items: POST /push with the token, and deliveries of WebSub hubs. Pollers answer there."""

    host: str = "127.0.0.1"
    port: int = 0  # 0: closed
    token: str = ""  # must be set where it is open
    public_url: str = ""  # where hubs reach us, such as https://wire.example.org; empty: no WebSub
    lease_s: float = 10 * 24 * 3600.0  # asked of hubs


@dataclass(frozen=True, slots=True)
class Embedded:
    """The runtime on one machine."""

    data: str = "data"
    workers: int = 0  # processes for CPU steps; 0: one a core, four at the most
    batch: int = 64  # records of one transaction
    retention_hours: int = 7 * 24  # of topics; the index keeps what it has
    index_retention_days: int = 0  # 0: for ever


@dataclass(frozen=True, slots=True)
class Kafka:
    """The distributed runtime's broker. `options` goes to every aiokafka client as it is."""

    servers: str = "127.0.0.1:9092"
    prefix: str = (
        ""  # of every topic, group and transactional id: installations that share a broker differ here
    )
    application: str = "wiredesk"  # prefix of consumer groups and transactional ids
    worker: str = ""  # stable name of this worker slot, unique among live workers; empty: host name
    partitions: int = 8
    replication: int = 1
    retention_hours: int = 7 * 24
    batch: int = 300
    session_timeout_s: float = 6.0
    max_message_bytes: int = 24 * MEBIBYTE
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = ""
    username: str = ""
    password: str = ""
    ca_file: str = ""
    cert_file: str = ""  # our certificate and its key (PEM), where the broker asks clients for one
    key_file: str = ""
    workers: int = 0  # processes for CPU steps; 0: one a core, four at the most
    standby: bool = True  # keep the memory of other workers too, and take over in seconds
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Elasticsearch:
    """The search index of the distributed runtime."""

    url: str = "http://127.0.0.1:9200"
    index: str = "wire-stories"  # alias; the indices are <index>-YYYY.MM-NNNNNN
    api_key: str = ""
    username: str = ""
    password: str = ""
    ca_file: str = ""
    batch: int = 500
    batch_bytes: int = 5 * MEBIBYTE
    flush_s: float = 0.5
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Routes:
    """Which stories go to topics of their own."""

    file: str = "routes.toml"  # the rules: a file in config/, or a path; empty: none
    memory_hours: int = 30 * 24  # so long after a chain's last event kills and corrections still follow it


@dataclass(frozen=True, slots=True)
class Webhooks:
    """How routed stories are posted to whoever asked for them. Times in seconds, sizes in bytes."""

    file: str = ""  # the targets: a path, see docs/consuming.md; empty: none
    allowed_addresses: tuple[str, ...] = ()  # networks (CIDR, or address:port) opened beside the public ones
    connect_timeout_s: float = 5.0
    timeout_s: float = 15.0  # of one try, the answer included
    max_bytes: int = MEBIBYTE  # of a body; a larger story becomes a dead letter
    max_redirects: int = 0  # 307 and 308 only; each hop must be an allowed address
    attempts: int = 15  # tries before a story becomes a dead letter
    first_delay_s: float = 1.0  # before the second try, at the most; doubled from try to try
    max_delay_s: float = 3600.0
    circuit_failures: int = 5  # in a row; after that only one try at a time
    circuit_s: float = 60.0  # until that one try
    concurrency: int = 8  # stories in flight to one target; those of one chain go one after the other


@dataclass(frozen=True, slots=True)
class Desk:
    """The web page and its API. Any host but loopback demands a token."""

    host: str = "127.0.0.1"
    port: int = 8080
    token: str = ""
    search: str = "embedded"  # or elasticsearch
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class Health:
    """Where a worker, poller or sink answers /livez, /readyz and /metrics."""

    host: str = "127.0.0.1"
    port: int = 0  # 0: any free port, told in the log


@dataclass(frozen=True, slots=True)
class Log:
    """What is written to standard error."""

    level: str = "info"
    format: str = "text"  # or json


@dataclass(frozen=True, slots=True)
class Settings:
    """All sections."""

    normalise: Normalise = Normalise()
    deduplicate: Deduplicate = Deduplicate()
    segment: Segment = Segment()
    tag: Tag = Tag()
    poll: Poll = Poll()
    push: Push = Push()
    embedded: Embedded = Embedded()
    kafka: Kafka = Kafka()
    elasticsearch: Elasticsearch = Elasticsearch()
    routes: Routes = Routes()
    webhooks: Webhooks = Webhooks()
    desk: Desk = Desk()
    health: Health = Health()
    log: Log = Log()


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of a TOML file (or none) under those of the environment.

    Raises:
        Misconfigured: the file can't be read or is no TOML, a name is unknown, a value has the wrong type.
    """
    told = _read(path) if path else {}
    where = str(path) if path else "settings"
    for name, value in _from_environment(os.environ if environment is None else environment):
        section, _, key = name.partition(".")
        if not isinstance(told.setdefault(section, {}), dict):
            raise Misconfigured(f"{where}: [{section}] is a section; write [{section}] above its names")
        told[section][key] = value
    built: Settings = _build(Settings, told, where)
    return built


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}; name a settings file with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: not TOML: {error}") from error


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, Any]]:
    """The settings that the environment tells, as ("section.name", value)."""
    found: list[tuple[str, Any]] = []
    for section in fields(Settings):
        for member in fields(_hints(Settings)[section.name]):
            variable = f"WIREDESK_{section.name}_{member.name}".upper()
            text = environment.get(variable)
            if text is None and (path := environment.get(f"{variable}_FILE")):
                text = _secret(variable, path)
            if text is not None:
                kind = _hints(_hints(Settings)[section.name])[member.name]
                found.append((f"{section.name}.{member.name}", _parsed(text, kind)))
    return found


def _secret(variable: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise Misconfigured(f"{variable}_FILE: {path}: {error.strerror}") from error


def _parsed(text: str, kind: Any) -> Any:
    """A variable's text as TOML where the setting is not a string: 5, 0.5, true, ["a", "b"]."""
    if kind is str:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _build(kind: Any, told: Mapping[str, Any], where: str, section: str = "") -> Any:
    hints = _hints(kind)
    made: dict[str, Any] = {}
    for name, value in told.items():
        label = f"{section}.{name}" if section else name
        if name not in hints:
            raise Misconfigured(f"{where}: unknown setting {label!r}{_nearest(name, hints)}")
        wanted = hints[name]
        if is_dataclass(wanted) and isinstance(value, Mapping):
            made[name] = _build(wanted, value, where, label)
        else:
            made[name] = _checked(value, wanted, f"{where}: {label}")
    return kind(**made)


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def _checked(value: Any, kind: Any, label: str) -> Any:
    if not _fits(value, kind):
        names = {tuple[str, ...]: "list of strings", dict[str, str]: "table of strings, numbers and booleans"}
        name = names.get(kind) or kind.__name__
        raise Misconfigured(f"{label} must be a {name}, not {value!r}")
    if kind is float:
        return float(value)
    if kind == dict[str, str]:
        return {
            name: str(each).lower() if isinstance(each, bool) else str(each) for name, each in value.items()
        }
    return tuple(value) if kind == tuple[str, ...] else value


def _fits(value: Any, kind: Any) -> bool:
    if kind == tuple[str, ...]:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if kind == dict[str, str]:
        return isinstance(value, dict) and all(isinstance(each, str | int | float) for each in value.values())
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)
