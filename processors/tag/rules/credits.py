"""Who made a picture: the names of a credit line, ``EFE-EPA FILE/GIUSEPPE LAMI`` or ``(AP Photo/Lena Brandvold)``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from processors.tag.copy import Copy, NameSpan, merge_names
from processors.tag.lexicon import lexicon
from processors.tag.rules.context import RuleContext
from processors.tag.rules.gazetteer import GAZETTEER_WEIGHT

# After a slash or "by": two to four words that open with a capital.
PHOTOGRAPHER: Final = re.compile(r"(?:/|\b[Bb][Yy]:?)\s*((?:[^\W\d_][\w.'’-]*\s){1,3}[^\W\d_][\w'’-]*)")


def drop_credit_names(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names outside credit lines, where the recogniser sees no sentence to go by."""
    parts = (context.copy.part_at(name.start) for name in names)
    return [name for name, part in zip(names, parts, strict=True) if part is None or part.kind != "credit"]


def add_photographers(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names with the photographers of credit lines, who win over other names; their agencies are known names."""
    return merge_names(_photographers(context.copy), names)


def _photographers(copy: Copy) -> Iterator[NameSpan]:
    for part in copy.parts:
        if part.kind == "credit":
            for maker in PHOTOGRAPHER.finditer(copy.read, part.start, part.end):
                if maker[1][0].isupper() and maker[1] not in lexicon().agencies:
                    yield NameSpan(*maker.span(1), "PER", GAZETTEER_WEIGHT)
