"""Freezes what the network is told of words: `processors/tag/model/inputs.npz`, from the lexicons as they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from processors.places import candidates, gazetteer
from processors.tag.features import PLACE_CLASSES, WORD_SETS, place_code
from processors.tag.lexicon import lexicon

MILLION: Final = 1_000_000  # people of a city: a metropolis, which no person is called after
HUNDRED_THOUSAND: Final = 100_000


def freeze_inputs(path: Path) -> None:
    """Write the inputs; the network must be trained with them afterwards."""
    words = {name: "\n".join(sorted(getattr(lexicon(), name))) for name in WORD_SETS}
    codes = sorted({place_code(name): place_class for name, place_class in _places()}.items())
    assert len({code // PLACE_CLASSES for code, _ in codes}) == len(codes)
    arrays: dict[str, Any] = {name: np.frombuffer(text.encode(), np.uint8) for name, text in words.items()}
    arrays["place_codes"] = np.array([code + place_class for code, place_class in codes], np.uint64)
    np.savez(path, **arrays)


def _places() -> Iterator[tuple[str, int]]:
    for name in gazetteer().names():
        places = candidates(name)
        if not places:
            continue
        if places[0].kind != "city":
            yield name, 3
        else:
            people = places[0].population
            yield name, 0 if people >= MILLION else 1 if people >= HUNDRED_THOUSAND else 2
