"""Whose story it is: the source that an identifier belongs to, and what a source may do to the story of another.

A source is written ``authority`` or ``authority/publisher``. The authority is what the operator set up: a feed, or the
feeds that the settings group; ``push`` for whatever comes with the push token, ``drop`` for the drop folder, nothing for
files of ``wiredesk process``. The publisher of a pushed item is what the sender calls its feed or source, which is no
configured feed's authority. Where nothing is named so (drop folder, files, push without a feed), an identifier that is unique within one publisher only belongs
to the publisher that the document names, or to the folder that the file lies in, which is written with a slash at its
end. An identifier that is unique in the world has no publisher there: the same uri is the same story.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlsplit

from processors.model.event import RawItem

# Of URIs that nobody gives twice but by fault or fraud. Others ("PA:77", "post:1") only look like URIs.
_GLOBAL_SCHEMES: Final = frozenset({
    "http", "https", "ftp", "urn", "tag", "info", "doi", "oid", "hdl", "did", "ni", "mid", "cid",
})  # fmt: skip
_MADE: Final = "urn:wiredesk:"
_OF_WORDS: Final = ("urn:wiredesk:dispatch:", "urn:wiredesk:content:")  # made from the words themselves
# Longer identifiers become a hash: an id of Elasticsearch holds 512 bytes. Shorter ones stay readable.
_MAX_IDENTIFIER_CHARS: Final = 400
# Longer uris get an alias. A term of Elasticsearch holds 32,766 bytes, a key of SQLite's index is slow long before, and
# the longest uri of a real publisher that was seen has some 500 characters.
MAX_URI_BYTES: Final = 1000
_MAX_PUBLISHER_CHARS: Final = 100  # of a name that a document gives; a longer one is cut
_MIN_DOMAIN_LABELS: Final = 2


# Authorities of what comes by other ways than polling: a feed that is called so is none of them.
OPEN_AUTHORITIES: Final = frozenset({"push", "drop", "backfill"})
# Of stories that version 0.1 remembered, which did not note it: any source's.
ANY_SOURCE: Final = "*"


def made_uri(scheme: str, source: str | None, identifier: str) -> str:
    """A stable URI for an identifier that is none: ``urn:wiredesk:<scheme>:<source>:<identifier>``."""
    quoted = quote(identifier, safe="")
    if len(quoted) > _MAX_IDENTIFIER_CHARS:
        quoted = content_hash(identifier)
    return f"{_MADE}{_quoted(scheme)}:{_quoted(source or 'unknown')}:{quoted}"


@lru_cache(maxsize=4096)
def _quoted(part: str) -> str:
    quoted = quote(part, safe="")
    return quoted if len(quoted) <= _MAX_IDENTIFIER_CHARS else content_hash(part)


def content_hash(*parts: str) -> str:
    """32 hexadecimal digits of the SHA-256 of some strings."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def short_uri(uri: str) -> str:
    """The uri, or an alias of it where it is over `MAX_URI_BYTES`."""
    if len(uri) <= MAX_URI_BYTES and (
        uri.isascii() or len(uri.encode("utf-8", "surrogatepass")) <= MAX_URI_BYTES
    ):
        return uri
    return f"{_MADE}alias:{content_hash(uri)}"


def source_of_item(item: RawItem, publisher: str, uri: str) -> str | None:
    """The source of a story of an item; None for one that only the files of ``wiredesk process`` have.

    Args:
        item: The raw item. Its feed counts alone, save where several publishers share it.
        publisher: Whom the document names as the owner of its identifiers; empty where it names nobody.
        uri: The story's.
    """
    settled = item.source or item.feed
    if settled and not item.origin:
        quoted = settled.replace("/", "%2F").replace(ANY_SOURCE, "%2A")
        return f"%{ord(quoted[0]):02X}{quoted[1:]}" if quoted in OPEN_AUTHORITIES else quoted
    authority = item.origin or ""
    if "/" in authority:
        return authority
    if _is_global(uri):
        return authority or None
    name = " ".join(publisher.replace("/", " ").split())[:_MAX_PUBLISHER_CHARS] or _folder_of(item.input)
    return f"{authority}/{name}" if name else authority or None


def is_made(uri: str) -> bool:
    """Whether a uri was made here."""
    return uri.startswith(_MADE)


def _is_global(uri: str) -> bool:
    if uri.startswith(_MADE):
        return uri.startswith(_OF_WORDS)
    return uri.partition(":")[0].lower() in _GLOBAL_SCHEMES


def _folder_of(path: str | None) -> str:
    folder, slash, _ = (path or "").rpartition("/")
    return folder + slash


def authority_of(source: str | None) -> str:
    """What the operator set up as the source: a feed, a group of feeds; empty for files."""
    return (source or "").partition("/")[0]


def is_same_source(source: str | None, other: str | None) -> bool:
    """Whether two sources are one as to identifiers; of a publisher that is not named nothing else is known."""
    if source == other or ANY_SOURCE in {source, other}:
        return True
    authority, _, publisher = (source or "").partition("/")
    other_authority, _, other_publisher = (other or "").partition("/")
    if authority != other_authority:
        return False
    return not publisher or not other_publisher or publisher.casefold() == other_publisher.casefold()


def may_change(source: str | None, other: str | None) -> bool:
    """Whether a source may update, correct or kill a story of another that it names by headline, slug or link.

    Two publishers that share a folder may not; the folder itself is nobody's name.
    """
    if is_same_source(source, other):
        return True
    authority, _, publisher = (source or "").partition("/")
    other_authority, _, other_publisher = (other or "").partition("/")
    return authority == other_authority and (publisher.endswith("/") or other_publisher.endswith("/"))


def is_entitled(url: str | None, uri: str) -> bool:
    """Whether the feed at a URL may speak for a uri: the uri's authority is the feed's own host or lies below it."""
    host, authority = publisher_host(url or ""), _authority_of_uri(uri)
    if not host or host.count(".") < _MIN_DOMAIN_LABELS - 1:
        return False
    return authority == host or authority.endswith(f".{host}")


def _authority_of_uri(uri: str) -> str:
    """The host in a web address, a tag (RFC 4151) or a NewsML uri (RFC 3085); empty for others."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() == "tag":
        return rest.partition(",")[0].rpartition("@")[2].lower()
    if scheme.lower() == "urn":
        parts = rest.split(":", 2)
        return parts[1].lower() if len(parts) > 2 and parts[0].lower() == "newsml" else ""
    return publisher_host(uri)


@lru_cache(maxsize=1024)
def publisher_host(url: str) -> str:
    """The host of a web address in lower case, without ``www.``; empty where there is none, and for bare addresses."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or host.replace(".", "").isdecimal() or ":" in host:
        return ""
    return host.removeprefix("www.")


def qualify_uri(uri: str, source: str | None, attempt: int = 1) -> str:
    """The uri of a story whose own is that of another source's story: it names the source.

    `attempt` over 1 gives others, for the case that this one is taken, too.
    """
    name = (source or "unknown").replace("/", " ").strip()
    parts = uri.split(":", 4)
    if attempt == 1 and uri.startswith(_MADE) and len(parts) == 5 and parts[3] != _quoted(name):
        return ":".join((*parts[:3], _quoted(name), parts[4]))
    return made_uri("uri", name, uri if attempt == 1 else f"{uri}#{attempt}")
