"""The list of feeds: what the operator says of each, read from TOML or OPML.

A TOML file holds ``[[feeds]]`` tables with the names of `Feed`; only ``url`` is required. Secrets never stand in
the file: ``basic_auth_env``, ``bearer_token_env`` and ``proxy_env`` name environment variables that hold
``user:password``, a token, and a proxy's URL.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final
from zoneinfo import available_timezones

import structlog

from config.errors import Misconfigured
from streams.pollers.feed import Feed, check_url, make_id, redacted
from streams.pollers.opml import read_opml

log = structlog.get_logger("wiredesk.poll")
CONFIG: Final = Path(__file__).resolve().parents[2] / "config"
KINDS: Final = {"interval": (int, float), "paused": bool}


def locate(name: str) -> Path:
    """A feed list: a path that exists, or the name of a file in ``config/``.

    Raises:
        Misconfigured: there is neither.
    """
    for path in (Path(name), CONFIG / name):
        if path.is_file():
            return path
    raise Misconfigured(f"{name}: no such feed list; name a .toml or .opml file with --feeds")


def load(name: str | Path) -> tuple[Feed, ...]:
    """The feeds of a TOML or OPML file (a path, or a name in ``config/``), in its order.

    What can't be used of an OPML file is left out, with a warning that names the line.

    Raises:
        Misconfigured: the file can't be read, or something in it is wrong; one line names the feed and the key.
    """
    path = locate(str(name))
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}; name a .toml or .opml file with --feeds") from error
    if path.suffix.lower() in {".opml", ".xml"} or raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        found = read_opml(raw, str(path))
        if not found.feeds and found.problems:
            raise Misconfigured(f"{path}: no feed in it; {found.problems[0]}")
        for problem in found.problems:
            log.warning("left out of the feed list", problem=problem)
        return found.feeds
    return from_toml(raw, str(path))


def from_toml(raw: bytes, where: str) -> tuple[Feed, ...]:
    """The feeds of a TOML document; `where` is told in errors.

    Raises:
        Misconfigured: not TOML, an unknown key, a wrong type, a bad URL, or two feeds with one id.
    """
    try:
        told = tomllib.loads(raw.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{where}: not TOML: {error}") from error
    tables = told.pop("feeds", [])
    if told or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        odd = next(iter(told), "feeds")
        raise Misconfigured(
            f"{where}: {odd!r} does not belong there; a feed list is made of [[feeds]] tables"
        )
    made = tuple(_feed(table, f"{where}: feed {number}") for number, table in enumerate(tables, 1))
    for member in ("id", "url"):
        often = [
            value for value, count in Counter(getattr(feed, member) for feed in made).items() if count > 1
        ]
        if often:
            raise Misconfigured(
                f"{where}: two feeds have the {member} {redacted(often[0])!r}; keep one of them"
            )
    return made


def to_toml(feeds: Sequence[Feed]) -> str:
    """The feeds as a TOML document that `from_toml` reads back."""
    return "\n".join(_table(feed) for feed in feeds)


def _feed(table: Mapping[str, Any], where: str) -> Feed:
    known = [member.name for member in fields(Feed)]
    values = {("id" if key == "name" and "id" not in table else key): value for key, value in table.items()}
    label = f"{where} ({redacted(str(values.get('id') or values.get('url') or '?'))})"
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise Misconfigured(f"{label}: unknown key {key!r}; {hint}")
        kind = KINDS.get(key, str)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):  # type: ignore[arg-type]
            raise Misconfigured(f"{label}: {key} has the wrong type: {value!r}")
    if "url" not in values:
        raise Misconfigured(f"{label}: url is missing")
    if wrong := check_url(values["url"]):
        raise Misconfigured(f"{label}: {wrong}")
    if values.get("interval", 1) <= 0:
        raise Misconfigured(f"{label}: interval must be more than 0 seconds")
    if values.get("timezone") and values["timezone"] not in available_timezones():
        raise Misconfigured(
            f"{label}: timezone {values['timezone']!r} is no IANA name such as 'Europe/Madrid'"
        )
    values.setdefault("id", make_id(values.get("title", ""), values["url"]))
    return Feed(**values)


def _table(feed: Feed) -> str:
    lines = ["[[feeds]]"]
    for member in fields(Feed):
        value = getattr(feed, member.name)
        if value in {None, "", False}:
            continue
        lines.append(f"{member.name} = {_toml_value(value)}")
    return "\n".join(lines) + "\n"


def _toml_value(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'
