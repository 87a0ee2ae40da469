"""Who made a picture: the names of a credit line, ``EFE-EPA FILE/GIUSEPPE LAMI`` or ``(AP Photo/Lena Brandvold)``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from processors.tag.copy import Copy
from processors.tag.found import Found
from processors.tag.lexicon import lexicon
from processors.tag.rules.gazetteer import SURE

# After a slash or "by": two to four words that open with a capital.
MAKER: Final = re.compile(r"(?:/|\b[Bb][Yy]:?)\s*((?:[^\W\d_][\w.'’-]*\s){1,3}[^\W\d_][\w'’-]*)")


def in_credit(copy: Copy, found: Found) -> bool:
    """Whether a name stands in a credit line, where the pipeline sees no sentence to go by."""
    part = copy.part_at(found.start)
    return part is not None and part.kind == "credit"


def find_credited(copy: Copy) -> Iterator[Found]:
    """The photographers of credit lines; their agencies are known names."""
    for part in copy.parts:
        if part.kind == "credit":
            for maker in MAKER.finditer(copy.read, part.start, part.end):
                if maker[1][0].isupper() and maker[1] not in lexicon().agencies:
                    yield Found(*maker.span(1), "PER", SURE)
