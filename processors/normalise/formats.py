"""Every wire format: the one list from which sniffing, portions, pollers and ``--format`` take what they know.

A new format is a module with a `FORMAT` value at its end, and a line here.
"""

from __future__ import annotations

from typing import Final

from processors.normalise import (
    anpa1312,
    digitalwires,
    dispatch,
    g2,
    iptc7901,
    json_documents,
    mail,
    newsml1,
    ninjs,
    nitf,
    pages,
    xml,
)
from processors.normalise.feeds import atom, jsonfeed, rss, sitemap
from processors.normalise.reading import Format

FORMATS: Final[tuple[Format, ...]] = (
    # XML: recognised by the root element, so that the order does not matter.
    rss.FORMAT,
    rss.RDF_FORMAT,
    atom.FORMAT,
    sitemap.FORMAT,
    g2.FORMAT,
    newsml1.FORMAT,
    nitf.FORMAT,
    pages.FORMAT,
    xml.FORMAT,  # of no known root
    # JSON: a feed is asked for first, then each item; ninjs last, because many dialects look like it.
    jsonfeed.FORMAT,
    digitalwires.FORMAT,
    ninjs.FORMAT,
    json_documents.FORMAT,  # what begins as JSON does
    # Everything else, the strictest header first.
    anpa1312.FORMAT,
    iptc7901.FORMAT,  # after ANPA 1312, whose header begins with SOH as well
    mail.FORMAT,  # after both: header fields are words with a colon, which any line may hold
    dispatch.FORMAT,  # last: any text is a dispatch
)
BY_NAME: Final = {format_.name: format_ for format_ in FORMATS}
BY_ROOT: Final = {root: format_ for format_ in FORMATS for root in format_.roots}
FEED_NAMES: Final = frozenset(format_.name for format_ in FORMATS if format_.is_feed)
