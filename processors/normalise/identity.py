"""Who an item is: the poller's identity first, then the publisher's, then the content's."""

from __future__ import annotations

from msgspec.structs import replace

from processors.model.event import RawItem
from processors.model.story import AltId, Story
from processors.normalise.reading import Reading
from processors.normalise.values import content_hash, made_uri, uri_or_none, web_address


def source_of(item: RawItem) -> str | None:
    """The name that made URIs carry: the agency that the settings tell, else the feed."""
    return item.source or item.feed


def publisher_uri(sent: str, role: str, item: RawItem) -> str:
    """The URI of a publisher's identifier: as sent where it is one, else made from it."""
    return uri_or_none(sent) or made_uri(role, source_of(item), sent.strip())


def file_uri(href: str, item: RawItem) -> tuple[str, str | None]:
    """The URI of a file beside a story, and its address: a file sent along, named without one, has none."""
    address = web_address(href, item.url)
    return (address, address) if address else (made_uri("file", source_of(item), href.strip()), None)


def identified(reading: Reading, item: RawItem, text: str, single: bool) -> Story:
    """The story with its URI and version. A raw item of one story takes the poller's; none at all takes a hash."""
    story = reading.story
    if single and item.uri and (told := uri_or_none(item.uri) or made_uri("uri", source_of(item), item.uri)):
        known = story.alt_ids
        if story.uri and story.uri != told and all(each.value != story.uri for each in known):
            known = (*known, AltId(story.uri, "uri"))
        story = replace(story, uri=told, alt_ids=known)
    if single and item.version:
        story = replace(story, version=item.version)
    if not story.uri:
        scheme = "dispatch" if reading.laid_out else "content"
        story = replace(story, uri=made_uri(scheme, source_of(item), content_hash(reading.headline, text)))
    return story
