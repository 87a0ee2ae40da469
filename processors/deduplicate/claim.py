"""Whose uri it is: the story of the same source that a version belongs to, and a uri of its own for any other."""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

from processors.deduplicate.keys import hash_key
from processors.deduplicate.record import RecordView
from processors.deduplicate.window import WindowKeys
from processors.model.event import Event
from processors.sources import ANY_SOURCE, is_entitled, is_made, is_same_source, qualify_uri


class Claim(NamedTuple):
    """What a story's uri came to.

    Attributes:
        uri: The story's from now on: as it came, or one that names the source where another source has that.
        source: Whose story it is.
        earlier: The newest version of the story.
        keys: Keys by which later versions find the story, where its uri is not the one that it came with.
    """

    uri: str
    source: str
    earlier: RecordView | None = None
    keys: tuple[int, ...] = ()

    @property
    def is_foreign(self) -> bool:
        """Whether the uri that the story came with is another source's."""
        return bool(self.keys)


def source_of_event(event: Event) -> str:
    """Whose story an event is; empty for files of ``wiredesk process``."""
    return (event.provenance and event.provenance.source) or ""


def settle_claim(event: Event, story_keys: WindowKeys) -> Claim:
    """What a story's uri comes to.

    The first source that uses a uri has it as long as it is remembered, and a feed that is entitled to it always. The
    story of another source is one of its own.
    """
    uri, source = event.story.uri, source_of_event(event)
    own_key = _claim_key(event)
    if own := _find_qualified(event, story_keys):
        return Claim(own.uri, own.source, own, (own_key,))
    holder = find_holder(uri, story_keys)
    if holder is None:
        return Claim(uri, source)
    if is_same_source(source, holder.source):
        return Claim(uri, source if holder.source == ANY_SOURCE else holder.source, holder)
    if event.provenance and is_entitled(event.provenance.url, uri):
        return Claim(uri, source, holder)
    for attempt in count(1):
        own_uri = qualify_uri(uri, source, attempt)
        holder = find_holder(own_uri, story_keys)
        if holder is None or holder.source == source:
            break
    return Claim(own_uri, source, holder, (own_key,))


def is_version_of(view: RecordView, event: Event, story_keys: WindowKeys) -> bool:
    """Whether a record is of the story that an event is a version of."""
    if view.uri != event.story.uri:
        own = _find_qualified(event, story_keys)
        return own is not None and own.uri == view.uri
    return is_same_source(view.source, source_of_event(event))


def _find_qualified(event: Event, story_keys: WindowKeys) -> RecordView | None:
    """The newest version of the story, where it has a uri that names its source instead of the one that it came with."""
    view = story_keys.find_view(_claim_key(event))
    if view is None or not is_made(view.uri) or view.uri == event.story.uri:
        return None
    return view if view.source == source_of_event(event) else None


def _claim_key(event: Event) -> int:
    """The key of a story whose uri is another source's, by the uri that it came with."""
    return hash_key("claim", source_of_event(event), event.story.uri)


def find_holder(uri: str, story_keys: WindowKeys) -> RecordView | None:
    """The newest story that has a uri."""
    view = story_keys.find_view(hash_key("uri", uri))
    return view if view is not None and view.uri == uri else None
