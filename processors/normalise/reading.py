"""What a wire format is, and what its reader returns: the types that all readers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from processors.errors import Rejected, TooLarge
from processors.model.event import DamageKind, RawItem
from processors.model.story import Story


@dataclass(frozen=True, slots=True)
class Reading:
    """One item as its format tells it, before the steps that all formats share.

    `story` holds every property that the format has a place for; its `uri` is empty where the publisher sent no
    identifier, and its headlines and bodies hold what stands beside the main ones. `text` is the readable body,
    not yet clean. `laid_out` says that headline, byline, slug and notes may stand in `text` itself.
    `is_clean` says that `text` is clean all the same.
    `damage` is what was wrong with the document as a whole. `markup` is the HTML of the body as it was sent, if any.
    `publisher` is whom the document names as the owner of its identifiers, if anybody.
    """

    format: str
    story: Story
    headline: str = ""
    text: str = ""
    laid_out: bool = False
    damage: tuple[DamageKind, ...] = ()
    markup: str = ""
    is_clean: bool = False
    publisher: str = ""


Readings = list[Reading | Rejected]


@dataclass(frozen=True, slots=True)
class Document:
    """A raw item with its characters, as a reader gets it.

    `max_entries` is how many entries of a feed or list are read, `max_parts` how many parts a mail may have. `formats` are all formats, for the documents that
    hold items of several (JSON) or are told apart by more than their first characters (XML feeds); `sniff` tells the
    format of what a document holds (attachments of mail).
    """

    text: str
    item: RawItem
    max_entries: int
    formats: tuple[Format, ...]
    max_parts: int = 100
    sniff: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One wire format: how its documents are recognised, read and cut into portions.

    A document that begins with ``<`` is recognised by its root element; any other by `is_document`, which gets its
    first 20,000 characters without leading blanks and is asked in the order of `processors.normalise.formats`.

    Attributes:
        name: What `provenance.format`, ``--format`` and the tally of ``wiredesk process`` call it.
        read: Reads a document; raises `Rejected` where nothing in it can be read.
        is_document: Whether characters begin a document of a format that is not XML.
        roots: Root elements by local name in lower case, each with the names of the elements between which a large
            file is cut (in the standard's spelling); none where the root is an item itself.
        end_of_item: A regular expression (bytes, multi-line) behind which a large file that is not XML is cut.
        is_feed: Whether pollers take documents of it apart, entry by entry, and leave its markup out of events.
        media_types: How HTML pages and HTTP call it.
        entries: For XML feeds: the entries below a root element.
        is_json, read_json: For JSON: whether a parsed value is an item of the format (of a feed: the whole document),
            and the readings of such a value.
    """

    name: str
    read: Callable[[Document], Readings]
    is_document: Callable[[str], bool] | None = None
    roots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    end_of_item: bytes = b""
    is_feed: bool = False
    media_types: tuple[str, ...] = ()
    entries: Callable[[Any], list[Any]] | None = None
    is_json: Callable[[object], bool] | None = None
    read_json: Callable[[Any, Document], Readings] | None = None


def over_limit_errors(count: int, limit: int) -> list[TooLarge]:
    """The error for the entries that a document holds over the limit; empty where it holds no more."""
    if count <= limit:
        return []
    return [TooLarge(f"{count - limit:,} of {count:,} entries left out; raise normalise.max_entries")]
