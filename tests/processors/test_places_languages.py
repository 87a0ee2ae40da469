"""Countries, capitals and large cities by their names in sixteen languages, and in the cases of three."""

from __future__ import annotations

import pytest

from processors.places import gazetteer

# Name, country, and whether it is the country itself.
NAMES: dict[str, list[tuple[str, str]]] = {
    "en": [("Germany", "DE"), ("Cairo", "EG"), ("Mumbai", "IN"), ("Ivory Coast", "CI")],
    "es": [("Alemania", "DE"), ("El Cairo", "EG"), ("Londres", "GB"), ("Ginebra", "CH"), ("Arabia Saudí", "SA")],
    "fr": [("Allemagne", "DE"), ("Le Caire", "EG"), ("Londres", "GB"), ("Moscou", "RU"), ("Anvers", "BE")],
    "de": [("Frankreich", "FR"), ("Kairo", "EG"), ("Mailand", "IT"), ("Warschau", "PL"), ("Tiflis", "GE")],
    "it": [("Germania", "DE"), ("Il Cairo", "EG"), ("Parigi", "FR"), ("Monaco di Baviera", "DE"), ("Regno Unito", "GB")],
    "pt": [("Alemanha", "DE"), ("Cairo", "EG"), ("Nova Iorque", "US"), ("Genebra", "CH"), ("Moscovo", "RU")],
    "nl": [("Duitsland", "DE"), ("Caïro", "EG"), ("Parijs", "FR"), ("Keulen", "DE"), ("Verenigde Staten", "US")],
    "sv": [("Tyskland", "DE"), ("Kairo", "EG"), ("Köpenhamn", "DK"), ("Helsingfors", "FI"), ("Frankrike", "FR")],
    "da": [("Tyskland", "DE"), ("Kairo", "EG"), ("Rom", "IT"), ("Frankrig", "FR"), ("Göteborg", "SE")],
    "nb": [("Tyskland", "DE"), ("Kairo", "EG"), ("Frankrike", "FR"), ("Roma", "IT"), ("Hellas", "GR")],
    "nn": [("Noreg", "NO"), ("Sverige", "SE"), ("Storbritannia", "GB"), ("Island", "IS")],
    "fi": [("Saksa", "DE"), ("Kairo", "EG"), ("Tukholma", "SE"), ("Pietari", "RU"), ("Pariisi", "FR"), ("Viro", "EE")],
    "pl": [("Niemcy", "DE"), ("Kair", "EG"), ("Paryż", "FR"), ("Rzym", "IT"), ("Wiedeń", "AT"), ("Stany Zjednoczone", "US")],
    "ru": [("Германия", "DE"), ("Каир", "EG"), ("Париж", "FR"), ("Нью-Йорк", "US"), ("Екатеринбург", "RU"), ("США", "US")],
    "ar": [("ألمانيا", "DE"), ("القاهرة", "EG"), ("باريس", "FR"), ("نيويورك", "US"), ("حلب", "SY"), ("الولايات المتحدة", "US")],
    "zh": [("德国", "DE"), ("開羅", "EG"), ("巴黎", "FR"), ("纽约", "US"), ("广州", "CN"), ("美国", "US"), ("基辅", "UA")],
    "ja": [("ドイツ", "DE"), ("カイロ", "EG"), ("パリ", "FR"), ("ニューヨーク", "US"), ("札幌市", "JP"), ("米国", "US")],
}  # fmt: skip


@pytest.mark.parametrize("language", NAMES)
def test_names_of_a_language_are_known(language: str) -> None:
    told = {name: gazetteer().find(name) for name, _ in NAMES[language]}
    assert {name: place and place.country for name, place in told.items()} == dict(NAMES[language])
    assert [
        name for name, place in told.items() if place and (place.latitude is None or not place.geoname_id)
    ] == []


def test_marks_of_kana_tell_places_apart() -> None:
    paris, bali = gazetteer().find("パリ"), gazetteer().find("バリ")
    assert paris != bali
