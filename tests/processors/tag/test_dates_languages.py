"""Date expressions in other languages. The reference date is Wednesday, 29 January 2025."""

from __future__ import annotations

import pytest

from processors.model.event import Event, Language
from processors.model.story import Story
from processors.tag.dates import find_dates


def values(text: str, language: str) -> list[tuple[str, str]]:
    story = Story(uri="urn:x", version_created="2025-01-29T12:00:00Z")
    found = find_dates(Event(story, text=text, language=Language(language, 1.0)))
    return [(date.text, date.value) for date in found]


@pytest.mark.parametrize(
    ("language", "text", "words", "value"),
    [
        ("es", "Abrió el 3 de marzo de 2024.", "3 de marzo de 2024", "2024-03-03"),
        ("es", "Abrió el lunes, 3 de marzo de 2025.", "lunes, 3 de marzo de 2025", "2025-03-03"),
        ("es-AR", "Llovió el martes.", "martes", "2025-01-28"),
        ("es", "El juez decidirá el viernes.", "viernes", "2025-01-31"),
        ("es", "Llovió la semana pasada.", "semana pasada", "2025-W04"),
        ("es", "Llovió hace dos años.", "hace dos años", "2023"),
        ("es", "Abrirá dentro de tres días.", "dentro de tres días", "2025-02-01"),
        ("es", "Llovió en diciembre.", "diciembre", "2024-12"),
        ("es", "Llovió a finales de 2023.", "finales de 2023", "2023"),
        ("es", "Llovió ayer.", "ayer", "2025-01-28"),
        ("es", "Abrirá el próximo año.", "próximo año", "2026"),
        ("fr", "Il a ouvert le 3 mars 2024.", "3 mars 2024", "2024-03-03"),
        ("fr", "Il a ouvert le 1er février 2024.", "1er février 2024", "2024-02-01"),
        ("fr", "Il a plu mardi.", "mardi", "2025-01-28"),
        ("fr", "Le juge décidera vendredi.", "vendredi", "2025-01-31"),
        ("fr", "Il a plu il y a deux ans.", "il y a deux ans", "2023"),
        ("fr", "Il pleuvra dans trois jours.", "dans trois jours", "2025-02-01"),
        ("fr", "Il a plu en décembre dernier.", "décembre dernier", "2024-12"),
        ("fr", "Il pleut aujourd’hui.", "aujourd’hui", "2025-01-29"),
        ("fr", "Il a plu dans les années 1990.", "années 1990", "199X"),
        ("de", "Sie öffnete am 3. März 2024.", "3. März 2024", "2024-03-03"),
        ("de", "Sie öffnete am 03.10.2024.", "03.10.2024", "2024-10-03"),
        ("de-AT", "Im Jänner 2024 regnete es.", "Jänner 2024", "2024-01"),
        ("de", "Es regnete am Dienstag.", "Dienstag", "2025-01-28"),
        ("de", "Es regnete am Dienstagabend.", "Dienstagabend", "2025-01-28"),
        ("de", "Der Rat wird am Freitag entscheiden.", "Freitag", "2025-01-31"),
        ("de", "Es regnete in der vergangenen Woche.", "vergangenen Woche", "2025-W04"),
        ("de", "Es regnete vor zwei Jahren.", "vor zwei Jahren", "2023"),
        ("de", "Es regnete Ende 2023.", "Ende 2023", "2023"),
        ("de", "Es regnete gestern.", "gestern", "2025-01-28"),
        ("it", "Ha aperto il 3 marzo 2024.", "3 marzo 2024", "2024-03-03"),
        ("it", "Ha piovuto martedì.", "martedì", "2025-01-28"),
        ("it", "Il giudice deciderà venerdì.", "venerdì", "2025-01-31"),
        ("it", "Ha piovuto due anni fa.", "due anni fa", "2023"),
        ("it", "Ha piovuto quest’anno.", "quest’anno", "2025"),
        ("it", "Ha piovuto la settimana scorsa.", "settimana scorsa", "2025-W04"),
        ("nl", "De brug opende op 3 maart 2024.", "3 maart 2024", "2024-03-03"),
        ("nl", "Het regende dinsdag.", "dinsdag", "2025-01-28"),
        ("nl-BE", "De rechter zal vrijdag beslissen.", "vrijdag", "2025-01-31"),
        ("nl", "Twee jaar geleden regende het.", "Twee jaar geleden", "2023"),
        ("nl", "Vorige week regende het.", "Vorige week", "2025-W04"),
        ("nl", "Dat was eind 2023.", "eind 2023", "2023"),
        ("nl", "Het derde kwartaal van 2024 was nat.", "Het derde kwartaal van 2024", "2024-Q3"),
        ("sv", "Bron öppnade den 3 mars 2024.", "den 3 mars 2024", "2024-03-03"),
        ("sv", "Det regnade i tisdags.", "tisdags", "2025-01-28"),
        ("sv", "Rätten ska besluta på fredag.", "fredag", "2025-01-31"),
        ("sv-SE", "Det regnade för två år sedan.", "för två år sedan", "2023"),
        ("sv", "Det regnade på 1990-talet.", "1990-talet", "199X"),
        ("sv", "Det regnade i går.", "i går", "2025-01-28"),
        ("nb", "Brua åpnet 3. mars 2024.", "3. mars 2024", "2024-03-03"),
        ("no", "Det regnet tirsdag.", "tirsdag", "2025-01-28"),
        ("nn", "Det regna forrige uke.", "forrige uke", "2025-W04"),
        ("nb-NO", "Det regnet for to år siden.", "for to år siden", "2023"),
        ("nb", "Retten skal avgjøre saken om tre dager.", "om tre dager", "2025-02-01"),
        ("da", "Broen åbnede den 3. marts 2024.", "den 3. marts 2024", "2024-03-03"),
        ("da", "Det regnede tirsdag.", "tirsdag", "2025-01-28"),
        ("da", "Retten skal afgøre sagen fredag.", "fredag", "2025-01-31"),
        ("da", "Det regnede i 1990'erne.", "1990'erne", "199X"),
        ("da", "Det regnede i slutningen af 2023.", "i slutningen af 2023", "2023"),
        ("pt", "Abriu em 3 de março de 2024.", "3 de março de 2024", "2024-03-03"),
        ("pt", "Choveu na terça-feira.", "terça-feira", "2025-01-28"),
        ("pt", "O juiz vai decidir na sexta-feira.", "sexta-feira", "2025-01-31"),
        ("pt-BR", "Choveu há dois anos.", "há dois anos", "2023"),
        ("pt", "Choveu no ano passado.", "ano passado", "2024"),
        ("pt", "Choveu ontem.", "ontem", "2025-01-28"),
    ],
)
def test_common_forms(language: str, text: str, words: str, value: str) -> None:
    assert values(text, language) == [(words, value)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Costó 1950 euros."),
        ("fr", "Il a été vu par 2000 personnes."),
        ("de", "Guten Abend, sagte er, die Marke ist neu."),
        ("is", "Það rigndi 3. mars 2024."),
        ("", "It rained on 3 March 2024."),
    ],
)
def test_other_words_and_languages_without_a_lexicon_have_no_dates(language: str, text: str) -> None:
    assert values(text, language) == []
