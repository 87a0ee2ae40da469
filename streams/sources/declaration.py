"""The list of sources: what ``config/sources.toml`` says, and what it may not say.

A source is a table ``[sources.NAME]`` with a `kind` or a `preset`, which is a table of ``config/presets.toml`` that
fills in what the operator leaves out. Secrets stand in variables or files, never here: ``secrets = {key = "env:NAME"}``.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from zoneinfo import available_timezones

import msgspec
from msgspec import Struct

from config import Misconfigured, install_hint
from config.files import CONFIG_FOLDER, find_file, read_tables, read_toml
from streams.pollers.feed import Feed
from streams.sources.ports import Source, SourceFault, SourceKind, SourceLimits

PRESETS_FILE: Final = CONFIG_FOLDER / "presets.toml"
KINDS: Final[Mapping[str, str]] = {
    "api": "streams.sources.api",
    "sftp": "streams.sources.sftp",
    "ftp": "streams.sources.ftp",
    "imap": "streams.sources.imap",
    "s3": "streams.sources.s3",
    "sqs": "streams.sources.sqs",
}  # of each, the module that ends with its `SOURCE`
EXTRA_OF_KIND: Final[Mapping[str, str]] = {
    "sqs": "s3"
}  # kinds that need further packages, and the extra that brings them
SOURCE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
SECRET_PLACE: Final = re.compile(r"(env|file):(.+)")
LIST_ADVICE: Final = "name your own list with --sources"


class CommonOptions(Struct, frozen=True, kw_only=True):
    """What every source may say beside the keys of its kind. `interval_s` is the time between two looks."""

    title: str = ""
    language: str | None = None
    source: str | None = None
    timezone: str | None = None
    # shorter: requests for nothing, and agencies block who asks so often; longer: news is late
    interval_s: float = 60.0
    # of one look with all its downloads; shorter: large files never come; longer: a server that drips holds its source up
    total_timeout_s: float = 300.0
    paused: bool = False


@dataclass(frozen=True, slots=True)
class SecretPlaces:
    """Where the secrets of one source stand (`streams.sources.ports.SecretReader`)."""

    where: str
    places: Mapping[str, str]
    folder: Path

    def read(self, name: str) -> str:
        """The value, without the line's end that a file may have."""
        match = SECRET_PLACE.fullmatch(self.places.get(name, ""))
        if match is None:
            raise SourceFault("credentials", f"no secret is called {name!r}; add it to `secrets`")
        kind, place = match.groups()
        if kind == "env":
            value = os.environ.get(place, "")
        else:
            try:
                value = (self.folder / place).read_text("utf-8").strip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "no text"
                raise SourceFault("credentials", f"the secret {name!r}: {place}: {reason}") from error
        if not value:
            raise SourceFault("credentials", f"the secret {name!r} is empty; set {place}")
        return value

    def names(self) -> Sequence[str]:
        """The names that the table gives."""
        return tuple(self.places)


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One source as the operator lists it. `feed` is what health, shares and the desk know it by."""

    feed: Feed
    kind: str
    total_timeout_s: float
    secrets: SecretPlaces
    options: Struct
    maker: SourceKind

    @property
    def id(self) -> str:
        """Its name, which is the feed of its items."""
        return self.feed.id

    def make(self, limits: SourceLimits) -> Source:
        """The source; nothing is connected yet."""
        return self.maker.make(self.options, self.secrets, limits)


def load_sources(name: str, feeds: Sequence[Feed] = ()) -> tuple[SourceEntry, ...]:
    """The sources of the list of this name; none where it is empty.

    Raises:
        Misconfigured: the list can't be read or followed, or a feed has the name of a source.
    """
    if not name:
        return ()
    path = find_file(name)
    _, tables = read_tables(path, "sources", LIST_ADVICE)
    _, presets = read_toml(PRESETS_FILE, "restore the file")
    entries = tuple(_read_entry(key, table, presets, path) for key, table in tables.items())
    taken = {feed.id for feed in feeds}
    for entry in entries:
        if entry.id in taken:
            raise Misconfigured(f"{path}: [sources.{entry.id}]: a feed is called so too; rename one of them")
    return entries


def _read_entry(name: str, table: Any, presets: Mapping[str, Any], path: Path) -> SourceEntry:
    where = f"{path}: [sources.{name}]"
    if not SOURCE_NAME.fullmatch(name):
        raise Misconfigured(f"{where}: a name is up to 64 of a-z, 0-9, '.', '_' and '-'")
    if not isinstance(table, dict):
        raise Misconfigured(f"{where}: write it as a table")
    values = _with_preset(dict(table), presets, where)
    maker = _find_kind(values.pop("kind", None), where)
    secrets = _read_secrets(values.pop("secrets", {}), where, path.parent)
    kind = maker[0]
    common_names = set(CommonOptions.__struct_fields__)
    known = sorted({"kind", "preset", "secrets", *common_names, *maker[1].options.__struct_fields__})
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise Misconfigured(f"{where}: unknown key {key!r}; {hint}")
    common = _convert(
        {key: value for key, value in values.items() if key in common_names}, CommonOptions, where
    )
    options = _convert(
        {key: value for key, value in values.items() if key not in common_names}, maker[1].options, where
    )
    if common.interval_s <= 0 or common.total_timeout_s <= 0:
        raise Misconfigured(f"{where}: interval_s and total_timeout_s must be more than 0 seconds")
    if common.timezone and common.timezone not in available_timezones():
        raise Misconfigured(f"{where}: timezone {common.timezone!r} is no IANA name such as 'Europe/Madrid'")
    try:
        url = maker[1].place(options)
    except ValueError as error:
        raise Misconfigured(f"{where}: {error}") from error
    feed = Feed(
        name,
        url,
        common.title,
        common.language,
        common.source,
        common.timezone,
        common.interval_s,
        common.paused,
    )
    return SourceEntry(feed, kind, common.total_timeout_s, secrets, options, maker[1])


def _with_preset(values: dict[str, Any], presets: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values over those of their preset; of two tables the keys are put together."""
    name = values.pop("preset", None)
    if name is None:
        return values
    if name not in presets:
        raise Misconfigured(f"{where}: no preset is called {name!r}; known are {', '.join(sorted(presets))}")
    return _merge(presets[name], values)


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _find_kind(name: Any, where: str) -> tuple[str, SourceKind]:
    if name not in KINDS:
        raise Misconfigured(f"{where}: `kind` must be one of {', '.join(KINDS)}, or name a `preset`")
    try:
        return name, import_module(KINDS[name]).SOURCE
    except ModuleNotFoundError as error:
        extra = EXTRA_OF_KIND.get(name, name)
        raise Misconfigured(f"{where}: {error.name} is missing; {install_hint(extra)}") from error


def _read_secrets(table: Any, where: str, folder: Path) -> SecretPlaces:
    if not isinstance(table, dict):
        raise Misconfigured(f'{where}: write secrets as {{name = "env:VARIABLE"}}')
    for name, place in table.items():
        if not isinstance(place, str) or not SECRET_PLACE.fullmatch(place):
            raise Misconfigured(
                f'{where}: the secret {name!r} must say where it stands: "env:VARIABLE" or "file:PATH"'
            )
    return SecretPlaces(where, table, folder)


def _convert(values: Mapping[str, Any], kind: Any, where: str) -> Any:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise Misconfigured(f"{where}: {error}") from error
