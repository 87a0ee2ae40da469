"""Any wire format in, events with a ninjs 3.1 story, headline, text and language out."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from config.settings import Normalise
from processors.errors import MissingContent, Rejected, TooLarge, UnknownFormat
from processors.model.event import Event, RawItem
from processors.normalise.attachments import GZIP_MARK, unpack_gzip
from processors.normalise.decode import decode
from processors.normalise.events import event_of, without_shared_uris
from processors.normalise.formats import BY_NAME, FORMATS, sniff
from processors.normalise.reading import Document, Reading

VERSION: Final = "1"


def normalise(item: RawItem, settings: Normalise) -> list[Event | Rejected]:
    """The events of a raw item, in its order; single items that are refused stand among them.

    Raises:
        Rejected: nothing in the whole item can be read.
    """
    if len(item.payload) > settings.max_item_bytes:
        raise TooLarge(
            f"{len(item.payload):,} bytes, over {settings.max_item_bytes:,}; raise normalise.max_item_bytes if it is one item"
        )
    if item.payload.startswith(GZIP_MARK):  # as servers send it that don't say so
        item = structs.replace(item, payload=unpack_gzip(item.payload))
    text = decode(item.payload, item.charset, item.language)
    name = item.format or sniff(text)
    format_ = BY_NAME.get(name)
    if format_ is None:
        raise UnknownFormat(f"no format is called {name!r}; known are {', '.join(BY_NAME)}")
    document = Document(text, item, settings.max_entries, FORMATS, settings.max_parts, sniff)
    readings = without_shared_uris(format_.read(document))
    if not readings and not format_.is_feed:
        raise MissingContent("nothing in it is an item; check whether it was cut")
    single = len(readings) == 1
    return [_event(reading, item, settings, single) for reading in readings]


def _event(reading: Reading | Rejected, item: RawItem, settings: Normalise, single: bool) -> Event | Rejected:
    if isinstance(reading, Rejected):
        return reading
    try:
        return event_of(reading, item, settings, single=single)
    except Rejected as error:
        return error
