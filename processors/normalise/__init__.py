"""Any wire format in, events with a ninjs 3.1 story, headline, text and language out."""

from __future__ import annotations

from config.settings import Normalise
from processors.errors import Rejected
from processors.story import Event, RawItem

VERSION = "1"


def normalise(item: RawItem, settings: Normalise) -> list[Event | Rejected]:
    """The events of a raw item, in its order; single items that are refused stand among them.

    Raises:
        Rejected: nothing in the whole item can be read.
    """
    raise Rejected(f"{item.input} {settings}")
