"""The tables: words of like meaning are near in whatever language, names sound alike, places are found in any script."""

from __future__ import annotations

import numpy as np
import pytest

from processors.cluster.outline import sound_of
from processors.cluster.words import load_places, load_table, read_place_names, read_words

ALIKE = (
    ("earthquake", "terremoto"), ("election", "выборы"), ("election", "选举"),
    ("president", "prezydent"), ("police", "الشرطة"), ("fire", "incendie"), ("minister", "ministeri"),
)  # fmt: skip
APART = (("earthquake", "biblioteca"), ("election", "pesce"), ("police", "music"), ("fire", "parlament"))


def cosine(first: str, second: str) -> float:
    table = load_table()
    places = [read_words(word, table)[0].place for word in (first, second)]
    assert min(places) >= 0, (first, second)
    one, other = table.vectors[places].astype(np.int64)
    return float(one @ other) / float(table.lengths[places].prod())


@pytest.mark.parametrize("pair", ALIKE)
def test_words_of_one_meaning_are_near(pair: tuple[str, str]) -> None:
    assert cosine(*pair) > 0.5


@pytest.mark.parametrize("pair", APART)
def test_words_of_other_meaning_are_not(pair: tuple[str, str]) -> None:
    assert cosine(*pair) < 0.4


def test_the_table_holds_what_sums_of_whole_numbers_ask_for() -> None:
    table = load_table()
    assert (np.diff(table.hashes.astype(np.int64)) > 0).all()
    assert int(np.abs(table.vectors.astype(np.int32)).max()) <= 127
    assert table.vectors.shape[1] * 127 * 127 < 2**24
    assert 1 <= int(table.weights.min()) <= int(table.weights.max()) <= 15


def test_inflected_and_unspaced_words_find_theirs() -> None:
    table = load_table()
    assert read_words("l'élection", table)[0].place == read_words("élection", table)[0].place
    words = read_words("日本の首相", table)
    assert [word.written for word in words] == ["日本", "の", "首相"]
    assert [word.start for word in words] == [0, 2, 3]


@pytest.mark.parametrize(
    "names",
    [
        ("Meloni", "Мелони", "멜로니"),
        ("Benassi", "Бенасси"),
        ("Vukasin", "فوكاسين"),
    ],
)
def test_a_name_sounds_alike_in_other_scripts(names: tuple[str, ...]) -> None:
    assert len({sound_of(name) for name in names}) == 1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Пожар в Сеуле", "Seoul"), ("首爾發生火災", "Seoul"), ("حريق في القاهرة", "Cairo"),
        ("incendio a Londra", None), ("Helsingissä", None),
    ],
)  # fmt: skip
def test_a_city_is_found_by_its_name_in_the_language(text: str, name: str | None) -> None:
    ids = {"Seoul": 1835848, "Beijing": 1816670, "Cairo": 360630}
    found = [place for place, _ in load_places().find(read_place_names(text))]
    assert name is None or ids[name] in found
