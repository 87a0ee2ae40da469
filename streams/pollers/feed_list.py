"""The list of feeds: what the operator says of each, read from TOML or OPML, and written as either.

A TOML file holds ``[[feeds]]`` tables with the names of `Feed`; only ``url`` is required. Secrets never stand in
the file: ``basic_auth_env``, ``bearer_token_env`` and ``proxy_env`` name environment variables that hold
``user:password``, a token, and a proxy's URL.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import quoteattr
from zoneinfo import available_timezones

import structlog
from lxml import etree

from config import Misconfigured, raise_fault
from config.files import find_file
from config.redaction import redact_secrets
from streams.pollers.feed import Feed, find_url_fault, make_feed_id

log = structlog.get_logger("wiredesk.poll")
TYPE_OF_KEY: Final = {"interval": (int, float), "paused": bool}


def load_feeds(name: str | Path, on_fault: Callable[[Misconfigured], None] = raise_fault) -> tuple[Feed, ...]:
    """The feeds of a TOML or OPML file (found by the rule of `config.files`), in its order.

    What can't be used of an OPML file is left out, with a warning that names the line.

    Raises:
        Misconfigured: the file can't be read, or something in it is wrong; one line names the feed and the key.
    """
    path = find_file(name)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}; name a .toml or .opml file with --feeds") from error
    if path.suffix.lower() in {".opml", ".xml"} or raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        imported = read_opml(raw, str(path))
        if not imported.feeds and imported.problems:
            raise Misconfigured(f"{path}: no feed in it; {imported.problems[0]}")
        for problem in imported.problems:
            log.warning("left out of the feed list", problem=problem)
        return imported.feeds
    return parse_feeds(raw, str(path), on_fault)


class FeedBook:
    """The list in force: pollers and the desk read it here, and those who follow it hear when it changes."""

    def __init__(self, feeds: Sequence[Feed] = ()) -> None:
        """Begin with these."""
        self.feeds = tuple(feeds)
        self._followers: list[Callable[[Sequence[Feed]], None]] = []

    def follow(self, use_feeds: Callable[[Sequence[Feed]], None]) -> None:
        """Call this with every list that comes to be in force."""
        self._followers.append(use_feeds)

    def replace(self, feeds: Sequence[Feed]) -> None:
        """Put another list in force."""
        self.feeds = tuple(feeds)
        for use_feeds in self._followers:
            use_feeds(self.feeds)


def parse_feeds(
    raw: bytes, where: str, on_fault: Callable[[Misconfigured], None] = raise_fault
) -> tuple[Feed, ...]:
    """The feeds of a TOML document; `where` is told in errors. `on_fault` gets a fault of one feed, by default raised.

    Raises:
        Misconfigured: not TOML, an unknown key, a wrong type, a bad URL, or two feeds with one id.
    """
    try:
        document = tomllib.loads(raw.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{where}: not TOML: {error}") from error
    tables = document.pop("feeds", [])
    if document or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        odd = next(iter(document), "feeds")
        raise Misconfigured(
            f"{where}: {odd!r} does not belong there; a feed list is made of [[feeds]] tables"
        )
    feeds = []
    for number, table in enumerate(tables, 1):
        try:
            feeds.append(_feed(table, f"{where}: feed {number}"))
        except Misconfigured as error:
            on_fault(error)
    for member in ("id", "url"):
        repeated = [
            value for value, count in Counter(getattr(feed, member) for feed in feeds).items() if count > 1
        ]
        if repeated:
            on_fault(
                Misconfigured(
                    f"{where}: two feeds have the {member} {redact_secrets(repeated[0])!r}; keep one of them"
                )
            )
    return tuple(feeds)


def format_feeds(feeds: Sequence[Feed]) -> str:
    """The feeds as a TOML document that `parse_feeds` reads back."""
    return "\n".join(_format_table(feed) for feed in feeds)


def _feed(table: Mapping[str, Any], where: str) -> Feed:
    names = [member.name for member in fields(Feed)]
    values = {("id" if key == "name" and "id" not in table else key): value for key, value in table.items()}
    label = f"{where} ({redact_secrets(str(values.get('id') or values.get('url') or '?'))})"
    for key, value in values.items():
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
            raise Misconfigured(f"{label}: unknown key {key!r}; {hint}")
        kind = TYPE_OF_KEY.get(key, str)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):  # type: ignore[arg-type]
            raise Misconfigured(f"{label}: {key} has the wrong type: {value!r}")
    if "url" not in values:
        raise Misconfigured(f"{label}: url is missing")
    if wrong := find_url_fault(values["url"]):
        raise Misconfigured(f"{label}: {wrong}")
    if values.get("interval", 1) <= 0:
        raise Misconfigured(f"{label}: interval must be more than 0 seconds")
    if values.get("timezone") and values["timezone"] not in available_timezones():
        raise Misconfigured(
            f"{label}: timezone {values['timezone']!r} is no IANA name such as 'Europe/Madrid'"
        )
    values.setdefault("id", make_feed_id(values.get("title", ""), values["url"]))
    return Feed(**values)


def _format_table(feed: Feed) -> str:
    lines = ["[[feeds]]"]
    for member in fields(Feed):
        value = getattr(feed, member.name)
        if value in {None, "", False}:
            continue
        lines.append(f"{member.name} = {_format_value(value)}")
    return "\n".join(lines) + "\n"


def _format_value(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda char: f"\\u{ord(char[0]):04x}", escaped) + '"'


@dataclass(frozen=True, slots=True)
class OpmlImport:
    """The feeds of an OPML document, and a line on each outline that was left out."""

    feeds: tuple[Feed, ...]
    problems: tuple[str, ...]


def read_opml(raw: bytes, where: str) -> OpmlImport:
    """The feeds of an OPML 1 or 2 document. Ill-formed XML is read as far as it goes."""
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        return OpmlImport((), (f"{where}: not OPML: {error}",))
    if root is None:
        return OpmlImport((), (f"{where}: not OPML: no element in it",))
    problems = [f"{where}:{error.line}: {error.message}" for error in list(parser.error_log)[:20]]
    feeds: dict[str, Feed] = {}
    urls: set[str] = set()
    for outline in root.iter("{*}outline"):
        attributes = {str(key).lower(): str(value).strip() for key, value in outline.attrib.items()}
        url = attributes.get("xmlurl", "")
        place = f"{where}:{outline.sourceline}: outline {attributes.get('text', '')!r}"
        if not url:
            if attributes.get("type", "").lower() in {"rss", "atom"}:
                problems.append(f"{place} has no xmlUrl")
        elif wrong := find_url_fault(url):
            problems.append(f"{place}: {wrong}")
        elif url in urls:
            problems.append(f"{place}: {redact_secrets(url)!r} stands there twice")
        else:
            urls.add(url)
            feed = _feed_of_outline(attributes, url, set(feeds))
            feeds[feed.id] = feed
    return OpmlImport(tuple(feeds.values()), tuple(problems))


def write_opml(feeds: Sequence[Feed], title: str = "wiredesk") -> str:
    """The feeds as OPML 2.0. Environment variables and intervals have no place in it and are left out."""
    lines = []
    for feed in feeds:
        attributes = {"type": "rss", "text": feed.id, "title": feed.title or feed.id, "xmlUrl": feed.url}
        if feed.language:
            attributes["language"] = feed.language
        lines.append(
            "    <outline "
            + " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items())
            + "/>"
        )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n'
    return (
        f"{head}  <head><title>{title}</title></head>\n  <body>\n"
        + "\n".join(lines)
        + "\n  </body>\n</opml>\n"
    )


def _feed_of_outline(attributes: dict[str, str], url: str, taken: set[str]) -> Feed:
    name = attributes.get("text") or attributes.get("title", "")
    return Feed(
        id=make_feed_id(name, url, taken),
        url=url,
        title=attributes.get("title") or name,
        language=attributes.get("language") or None,
    )
