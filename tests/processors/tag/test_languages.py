"""Names in languages that the pipeline does not read."""

from __future__ import annotations

import pytest

from tests.processors.tag.conftest import Told, entity, labels


@pytest.mark.parametrize(
    ("language", "text", "name", "label"),
    [
        ("es", "La directora, Nuria Bellver, habló ayer.", "Nuria Bellver", "PER"),
        ("es", "Según el ministro Arrese, la obra sigue.", "Arrese", "PER"),
        ("es", "El tren llegó tarde a Madrid por la nieve.", "Madrid", "LOC"),
        ("es", "La obra la paga el Ministerio de Puertos, según fuentes.", "Ministerio de Puertos", "ORG"),
        ("fr", "Le maire de Lyon, Thibault Garance, a parlé.", "Thibault Garance", "PER"),
        ("fr", "Le train est arrivé en retard à Marseille.", "Marseille", "LOC"),
        ("it", "Il sindaco Carmelo Zitoli ha parlato a Palermo.", "Carmelo Zitoli", "PER"),
        ("pt", "A diretora da Agência de Portos falou em Lisboa.", "Lisboa", "LOC"),
        ("de", "Das sagte Bernd Krögerhoff am Montag in Wismar.", "Bernd Krögerhoff", "PER"),
        ("de", "Das sagte Bernd Krögerhoff am Montag in Wismar.", "Wismar", "LOC"),
        ("nl", "Burgemeester Femke Dijkhoven sprak in Utrecht.", "Femke Dijkhoven", "PER"),
    ],
)
def test_a_name_is_told_by_what_stands_beside_it(
    told: Told, language: str, text: str, name: str, label: str
) -> None:
    assert labels(told(text, language=language), name) == {label}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Los vecinos esperan. Hoy llueve. Nadie vino."),
        ("fr", "Les usagers attendent. Personne ne vient. Hier il pleuvait."),
        ("de", "Der Wind hat uns Sorgen gemacht. Die Feuerwehr kam mit dem großen Wagen."),
    ],
)
def test_a_capital_that_opens_a_sentence_or_a_noun_is_no_name(told: Told, language: str, text: str) -> None:
    assert told(text, language=language).mentions == ()


def test_a_country_has_its_code_in_any_language(told: Told) -> None:
    place = entity(told("El ministro viajó a Alemania el lunes.", language="es"), "Alemania").place
    assert place is not None
    assert place.country == "DE"


@pytest.mark.parametrize(
    ("declared", "text", "name", "label"),
    [
        ("en", "Президент Ларин встретился с Олегом Савинским в Киеве.", "Киеве", "LOC"),
        ("ru", "The mayor of Oslo, Henrik Solberg, met Olena Marchuk on Monday.", "Henrik Solberg", "PER"),
        ("ar", "The mayor of Oslo, Henrik Solberg, met Olena Marchuk on Monday.", "Oslo", "LOC"),
        (
            "zh",
            "Der Bürgermeister von Wismar, Bernd Krögerhoff, sprach am Montag.",
            "Bernd Krögerhoff",
            "PER",
        ),
        ("de", "国家主席昨天在北京会见了德国总理。会谈持续了两个小时。", "北京", "LOC"),
        ("en", "首相は昨日、東京でドイツの首相と会談した。", "東京", "LOC"),
        ("en", "وصل الرئيس المصري إلى القاهرة مساء الأحد قادما من باريس.", "القاهرة", "LOC"),
        (
            "es",
            "The governor spoke in Toronto. El alcalde Tomás Iruñela habló ayer en Sevilla.",
            "Sevilla",
            "LOC",
        ),
        (
            "es",
            "The governor spoke in Toronto. El alcalde Tomás Iruñela habló ayer en Sevilla.",
            "Toronto",
            "LOC",
        ),
        (
            "en",
            "Ｔｈｅ ｍａｙｏｒ ｏｆ Ｏｓｌｏ， Ｈｅｎｒｉｋ Ｓｏｌｂｅｒｇ， ｓｐｏｋｅ．",
            "Ｈｅｎｒｉｋ Ｓｏｌｂｅｒｇ",
            "PER",
        ),
        (
            "ar",
            "Wasala al-ra'is ila al-Qahira. Qala Mahmoud Darzawi inna al-ijtima' fi Dubai.",
            "Dubai",
            "LOC",
        ),
        (
            "sr",
            "Председник Милан Јовичић састао се у Београду са министром Петром Радинићем.",
            "Београду",
            "LOC",
        ),
        (
            "sr",
            "Predsednik Milan Jovičić sastao se u Beogradu sa ministrom Petrom Radinićem.",
            "Beogradu",
            "LOC",
        ),
        (
            "sr",
            "Predsednik Milan Jovičić sastao se u Beogradu sa ministrom Petrom Radinićem.",
            "Milan Jovičić",
            "PER",
        ),
        ("en", "Henrik Solberg, Olena Marchuk, Rosa Lund, Oslo, Kyiv", "Olena Marchuk", "PER"),
        ("it", "Carmelo Zitoli\nNuria Bellver\nThibault Garance\nPalermo", "Nuria Bellver", "PER"),
        ("fr", "Thibault Garance, Nuria Bellver, Bernd Krögerhoff, Marseille, Lyon", "Marseille", "LOC"),
    ],
)
def test_a_text_in_other_letters_or_another_language_than_declared_has_its_names(
    told: Told, declared: str, text: str, name: str, label: str
) -> None:
    assert label in labels(told(text, language=declared), name)
