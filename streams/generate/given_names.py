"""Builds ``config/lexicon/given-genders.txt.gz`` from the names of Faker's locales (MIT), which whoever runs this installs.

A name that some locale has for women and some for men is left out: there it tells nothing.
"""

from __future__ import annotations

import gzip
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from config.lexicon import FOLDER

FILE: Final = "given-genders.txt.gz"
GENDERED_LISTS: Final = {
    "m": ("first_names_male", "first_romanized_names_male"),
    "f": ("first_names_female", "first_romanized_names_female"),
}
MIN_NAME_CHARS: Final = 2  # of a name; one character is an initial, or the half of a Chinese name


def collect_names(module: ModuleType) -> Iterator[tuple[str, str]]:
    """The given names of a locale with their genders, the first word of each."""
    for gender, lists in GENDERED_LISTS.items():
        for attribute in lists:
            for name in getattr(module.Provider, attribute, ()):
                words = name.casefold().split()
                if words and len(words[0]) >= MIN_NAME_CHARS and not words[0].endswith("."):
                    yield words[0], gender


def write_list(folder: Path = FOLDER) -> int:
    """Write the file; the number of names in it."""
    person = importlib.import_module("faker.providers.person")
    genders: dict[str, set[str]] = {}
    for locale in sorted(each.name for each in pkgutil.iter_modules(person.__path__)):
        for name, gender in collect_names(importlib.import_module(f"{person.__name__}.{locale}")):
            genders.setdefault(name, set()).add(gender)
    sure = {
        gender: sorted(name for name, both in genders.items() if both == {gender})
        for gender in GENDERED_LISTS
    }
    text = "".join(f"{gender} {' '.join(names)}\n" for gender, names in sure.items())
    (folder / FILE).write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))
    return sum(map(len, sure.values()))


if __name__ == "__main__":
    print(f"{write_list()} names")  # noqa: T201 -- a command
