"""What somebody is, told beside the name: "Russian Deputy Foreign Minister Mikhail Bogdanov"."""

from __future__ import annotations

import re
from typing import Final

from processors.tag.lexicon import lexicon

LEFT: Final = re.compile(r"(?:[^\W_][\w.&'’-]* +){1,8}$")
RIGHT: Final = re.compile(r",? ?\(?,? (?:the |an? )?((?:[^\W\d_][\w.&'’-]* ?){1,8})")
REACH: Final = 90  # characters beside the name


def role_before(text: str, start: int) -> str | None:
    """The role that ends where a name starts; None where the words before it are none."""
    found = LEFT.search(text, max(0, start - REACH), start)
    if found is None:
        return None
    words = found.group().split()
    if _bare(words[-1]) not in lexicon().roles and _bare(words[-1]) not in TITLED:
        return None
    first = len(words) - 1
    while first and _belongs(words[first - 1]):
        first -= 1
    role = " ".join(words[first:])
    return role if first < len(words) - 1 or _bare(role) in lexicon().roles else None


TITLED: Final = frozenset({"sen", "rep", "gov", "gen", "col", "maj", "lt", "capt", "sgt", "ministry"})


def _belongs(word: str) -> bool:
    """Whether a word can stand before the head of a role: a modifier, a name in capitals, "of"."""
    bare = _bare(word)
    if word.endswith((",", ";", ":")):
        return False
    return (
        bare in lexicon().role_modifiers
        or bare in lexicon().roles
        or (word[:1].isupper() and word not in lexicon().never)
    )


def _bare(word: str) -> str:
    return re.sub(r"['’]s$", "", word).strip(".,").lower()
