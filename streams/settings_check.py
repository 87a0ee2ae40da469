"""What is wrong with the settings and with every file that they name, all of it at once, before anything starts."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from config import Misconfigured
from config.files import find_file
from config.schema import Setting, all_settings, to_toml
from config.settings import Settings, read_settings

if TYPE_CHECKING:
    from sinks.routes.router import RouteRule

WITHHELD_VALUE: Final = "(a secret)"  # shown for one that is set
_KEY: Final = re.compile(r"(?<![\w.])[a-z]+(?:\.[a-z][a-z0-9_]*)+(?![\w.])")
_SECTION: Final = re.compile(r"\s*\[([\w.\- ]+)\]")


@dataclass(slots=True)
class CheckReport:
    """The faults, a line each, and the files that were read."""

    faults: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def add(self, error: Misconfigured) -> None:
        """Add a fault, once."""
        if str(error) not in self.faults:
            self.faults.append(str(error))

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Add what the block raises as a fault."""
        try:
            yield
        except Misconfigured as error:
            self.add(error)


def check_settings(path: Path | None, environment: Mapping[str, str] | None = None) -> CheckReport:
    """Check a settings file (or none) under the environment, and all files that these name."""
    report = CheckReport()
    variables = os.environ if environment is None else environment
    try:
        settings, _ = read_settings(path, variables, report.add)
    except Misconfigured as error:  # the file can't be read at all
        report.add(error)
        return report
    if path:
        report.files.append(path.absolute())
        report.faults[:] = [with_line(fault, path) for fault in report.faults]
    for check in (_check_feeds, _check_lists, _check_routes, _check_certificates, _check_bounds):
        with report.collect():
            check(settings, report)
    return report


def with_line(fault: str, path: Path) -> str:
    """A fault of a settings file with the line of the key that it names: ``wire.toml:7: …``."""
    place = f"{path}: "
    if not fault.startswith(place) or not (key := _KEY.search(fault, len(place))):
        return fault
    line = find_line(path.read_text("utf-8"), key[0])
    return f"{path}:{line}: {fault.removeprefix(place)}" if line else fault


def find_line(text: str, key: str) -> int | None:
    """The line of a TOML text that says a setting, such as ``poll.feeds``; None where none is found."""
    section, _, name = key.rpartition(".")
    here = ""
    for number, line in enumerate(text.splitlines(), 1):
        if opened := _SECTION.match(line):
            here = opened[1].replace(" ", "")
            if here == key:
                return number
        words = line.partition("=")[0].strip().strip("\"'").replace(" ", "")
        if "=" in line and ((here == section and words == name) or (not here and words == key)):
            return number
    return None


def describe_settings(path: Path | None, *, changed: bool) -> list[str]:
    """The effective settings as TOML, each with where it was said; secrets are hidden. `changed`: without defaults.

    Raises:
        Misconfigured: a setting can't be followed.
    """
    settings, reader = read_settings(path)
    lines: list[str] = []
    section = ""
    for setting in all_settings(Settings):
        origin = reader.origin_of(setting.key)
        if changed and origin is None:
            continue
        if (name := ".".join(setting.path[:-1])) != section:
            section = name
            lines += ["", f"[{section}]"] if lines else [f"[{section}]"]
        lines.append(
            f"{setting.path[-1]} = {_shown(setting, settings)}  # {_origin(setting, settings, origin)}"
        )
    return lines


def _shown(setting: Setting, settings: Settings) -> str:
    from config.redaction import redact_secrets

    value = attrgetter(setting.key)(settings)
    if setting.is_secret:
        return to_toml(WITHHELD_VALUE) if value else to_toml(value)
    return to_toml(redact_secrets(value) if isinstance(value, str) else value)


def _origin(setting: Setting, settings: Settings, origin: str | None) -> str:
    """Where a setting was said; of a file, where that lies."""
    said = origin or "default"
    name = attrgetter(setting.key)(settings)
    if not setting.is_file or not name:
        return said
    found = find_file(name)
    return f"{said}: {found}" if found.exists() else f"{said}: {found}, which is not there"


def _check_feeds(settings: Settings, report: CheckReport) -> None:
    from streams.pollers.feed_list import load_feeds
    from streams.sources.declaration import load_sources

    report.files.append(find_file(settings.poll.feeds))
    feeds = load_feeds(settings.poll.feeds, report.add)
    if settings.poll.sources:
        report.files.append(find_file(settings.poll.sources))
        load_sources(settings.poll.sources, feeds)


def _check_lists(settings: Settings, report: CheckReport) -> None:
    from processors.tag.watchlists import list_files, read_lists

    if name := settings.tag.watchlists:
        report.files += [find_file(name), *list_files(name)]
        read_lists(name, report.add)


def _check_routes(settings: Settings, report: CheckReport) -> None:
    from sinks.routes.rules import read_rules
    from streams.webhooks.targets import read_targets

    rules: tuple[RouteRule, ...] = ()
    if name := settings.routes.file:
        report.files.append(find_file(name))
        rules = read_rules(find_file(name), report.add)
    if name := settings.webhooks.file:
        report.files.append(find_file(name))
        names, allow_http = {rule.name for rule in rules}, settings.webhooks.allow_http
        read_targets(find_file(name), names, allow_http=allow_http, on_fault=report.add)


def _check_certificates(settings: Settings, report: CheckReport) -> None:
    kafka = settings.kafka
    authorities = {
        "kafka.ca_file": kafka.ca_file,
        "elasticsearch.ca_file": settings.elasticsearch.ca_file,
        "alerts.smtp_ca_file": settings.alerts.smtp_ca_file,
    }
    for key, name in authorities.items():
        if name:
            with report.collect():
                _try_certificates(report, key, name, lambda path: ssl.create_default_context(cafile=path))
    if kafka.cert_file and kafka.key_file:
        key_path = find_file(kafka.key_file)
        _try_certificates(
            report,
            "kafka.cert_file",
            kafka.cert_file,
            lambda path: ssl.create_default_context().load_cert_chain(path, key_path),
        )
    elif kafka.cert_file or kafka.key_file:
        raise Misconfigured("kafka.cert_file and kafka.key_file go together: our certificate and its key")


def _try_certificates(report: CheckReport, key: str, name: str, load: Callable[[Path], Any]) -> None:
    path = find_file(name)
    report.files.append(path)
    try:
        load(path)
    except ssl.SSLError as error:
        raise Misconfigured(f"{key}: {path}: not PEM, or not a pair: {error}") from error
    except OSError as error:
        raise Misconfigured(f"{key}: {error.filename or path}: {error.strerror}") from error


def _check_bounds(settings: Settings, report: CheckReport) -> None:
    """What the listeners refuse at their start: a desk that is open to others without a token, proxies that are none."""
    from sinks.callers import parse_proxies
    from sinks.desk.access import check_exposure
    from sinks.desk.tokens import TokenFile
    from streams.alerts.senders import load_services

    for proxies, key in ((settings.desk.proxies, "desk.proxies"), (settings.push.proxies, "push.proxies")):
        with report.collect():
            parse_proxies(proxies, key)
    tokens = TokenFile(find_file(settings.desk.tokens)) if settings.desk.tokens else None
    check_exposure(settings.desk, tokens)
    load_services(settings.alerts)
