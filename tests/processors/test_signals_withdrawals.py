"""Requests to editors not to use a story are kills; advice to readers, and embargoes, are none. All are invented."""

from __future__ import annotations

import pytest

from processors.layout import lay_out
from processors.signals import read_signals

COPY = "The harbour council of Port Ellery voted on Tuesday to allow a night ferry to Gannet Island. " * 6
WITHDRAWN = [
    "Please do not use the story headlined “Ferry sinks off Gannet”, sent at 1412 GMT.",
    "ATTENTION EDITORS: Do not use our earlier report on the ferry. The source has withdrawn its statement.",
    "Please disregard the item slugged Gannet-Ferry, which was sent in error.",
    "Bitte verwenden Sie die Meldung „Fähre sinkt vor Gannet“ (bln 4711) nicht mehr.",
    "Achtung Redaktionen: Bitte die Meldung über die Fähre (Nr. 0412 vom 21.11.) nicht verwenden.",
    "Die Meldung über die gesunkene Fähre darf nicht mehr verwendet werden.",
    "Prière de ne pas utiliser la dépêche sur le ferry de Gannet, transmise à 14h12.",
    "Attention : merci de ne plus utiliser notre papier sur le ferry de Gannet.",
    "Rogamos no utilizar la noticia sobre el ferry de Gannet, transmitida a las 14.12.",
    "Atención: por favor, no utilicen la información sobre el ferry de Gannet.",
    "Si prega di non utilizzare la notizia sul traghetto di Gannet.",
    "Attenzione: non utilizzare il lancio delle 14.12 sul traghetto di Gannet.",
    "Por favor não utilizar a notícia sobre o ferry de Gannet, enviada às 14:12.",
    "Solicita-se que não utilizem o texto sobre o ferry de Gannet.",
    "Gelieve het bericht over de veerboot van Gannet niet meer te gebruiken.",
    "Let op redacties: gebruik het bericht over de veerboot van Gannet niet.",
    "Använd inte telegrammet om färjan vid Gannet som sändes klockan 14.12.",
    "Till redaktionen: Texten om färjan vid Gannet ska inte användas.",
    "Vennligst ikke bruk meldingen om ferga ved Gannet.",
    "Meldingen om ferga ved Gannet skal ikke brukes.",
    "Anvend ikke telegrammet om færgen ved Gannet.",
    "Artiklen om færgen ved Gannet må ikke længere bruges.",
]
NO_KILLS = [
    "Do not use the lifts in a fire, the brigade told residents of Port Ellery.",
    "Please do not use the story before 1800 GMT.",
    "Please do not use the report’s photographs without a credit.",
    "Do not use this article as medical advice, the clinic said.",
    "“Please don’t use the story to attack us,” the mayor said.",
    "Bitte verwenden Sie den Notruf nicht für Fragen zur Fähre, teilte die Feuerwehr mit.",
    "Bitte verwenden Sie den Text nicht vor 18.00 Uhr.",
    "Die Meldung der Reederei wurde am Freitag nicht von allen Zeitungen verwendet, sagte Egon Pichl.",
    "Prière de ne pas utiliser l’ascenseur, dit une affiche au port de Valbrune.",
    "Merci de ne pas publier la dépêche avant 18h00.",
    "No utilizar el ascensor en caso de incendio, recuerda el Ayuntamiento de Villarrubia.",
    "Rogamos no publicar la noticia antes de las 18.00.",
    "Si prega di non utilizzare la notizia prima delle 18.",
    "Por favor não utilizar a água da torneira, pediu a câmara de Valmar.",
    "Gelieve het water niet te gebruiken, zegt de gemeente.",
    "Gebruik het bericht niet voor 18.00 uur.",
    "Använd inte hissen vid brand, säger räddningstjänsten.",
    "Ikke bruk telefonen i bilen, sier politiet.",
    "Brug ikke vandet, siger kommunen.",
]


@pytest.mark.parametrize("note", WITHDRAWN)
def test_a_request_not_to_use_a_story_is_a_kill(note: str) -> None:
    assert read_signals(headline="", text=f"{note}\n\n{COPY}").relation == "kill"
    assert read_signals(headline="Ferry sinks off Gannet", ed_note=note, text=COPY).relation == "kill"


@pytest.mark.parametrize("note", WITHDRAWN)
def test_a_request_not_to_use_a_story_is_a_note(note: str) -> None:
    assert lay_out(f"{note}\n\n{COPY}")[0].kind == "note"


@pytest.mark.parametrize("line", NO_KILLS)
def test_advice_and_embargoes_are_no_kills(line: str) -> None:
    assert read_signals(headline="", text=f"{line}\n\n{COPY}").relation != "kill"
    assert read_signals(headline=line, text=COPY).relation != "kill"
