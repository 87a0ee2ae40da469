"""Lines to editors in ten languages: each is a note of its own, and says what the story is to another one."""

from __future__ import annotations

import pytest

from processors.layout import lay_out
from processors.signals import read_signals

STORIES = {
    "en": (
        "Milford bridge reopens after two years",
        "LONDON, Nov 21 (Reuters) -",
        "A bridge over the Tarn at Milford reopened on Saturday after two years of repairs, the council said.",
    ),
    "de": (
        "Brücke in Mühlfurt wieder offen",
        "Bonn (dpa) -",
        "Die Brücke über den Tarn in Mühlfurt ist am Samstag nach zwei Jahren wieder geöffnet worden.",
    ),
    "fr": (
        "Le pont de Milfort rouvre après deux ans",
        "Paris, 21 nov 2026 (AFP) -",
        "Le pont sur le Tarn à Milfort a rouvert samedi après deux ans de travaux, a annoncé la mairie.",
    ),
    "es": (
        "Reabre el puente de Milforte",
        "Madrid, 21 nov (EFE).-",
        "El puente sobre el Tarn en Milforte reabrió el sábado tras dos años de obras, informó el municipio.",
    ),
    "it": (
        "Riapre il ponte di Milforte",
        "(ANSA) - ROMA, 21 NOV -",
        "Il ponte sul Tarn a Milforte ha riaperto sabato dopo due anni di lavori, ha annunciato il comune.",
    ),
    "pt": (
        "Reabre a ponte de Milforte",
        "Lisboa, 21 nov 2026 (Lusa) –",
        "A ponte sobre o Tarn em Milforte reabriu no sábado após dois anos de obras, anunciou a câmara.",
    ),
    "nl": (
        "Brug in Milfoort weer open",
        "UTRECHT (ANP) -",
        "De brug over de Tarn in Milfoort is zaterdag na twee jaar werk weer opengegaan, meldt de gemeente.",
    ),
    "sv": (
        "Bron i Milfors öppen igen",
        "STOCKHOLM (TT)",
        "Bron över Tarn i Milfors öppnade på lördagen efter två års arbete, uppger kommunen.",
    ),
    "nb": (
        "Broen i Milfoss åpen igjen",
        "OSLO (NTB):",
        "Broen over Tarn i Milfoss åpnet lørdag etter to års arbeid, opplyser kommunen.",
    ),
    "da": (
        "Broen i Milfos åben igen",
        "København (Ritzau) -",
        "Broen over Tarn i Milfos åbnede lørdag efter to års arbejde, oplyser kommunen.",
    ),
}
NOTES = [
    ("en", "Attention subscribers: please kill the story headlined 'Milford bridge collapses', which moved at 0910 GMT. The report was wrong.", "kill"),
    ("en", "CORRECTION: In a story moved Nov. 20, the length of the bridge was misstated.", "correction"),
    ("en", "EDITORS: This is a corrected version of the item sent at 10.12.", "correction"),
    ("en", "KILL KILL KILL - MILFORD BRIDGE", "kill"),
    ("en", "CLARIFICATION – an earlier version misspelled the mayor's name", "correction"),
    ("en", "(This Nov 20 story has been corrected to fix the length of the bridge in paragraph 3)", "correction"),
    ("en", "(Refiles to remove extraneous word in headline)", "correction"),
    ("en", "STORY WITHDRAWN: Milford bridge", "kill"),
    ("de", "Berichtigung: Länge der Brücke im 2. Absatz geändert", "correction"),
    ("de", "ACHTUNG REDAKTIONEN: Bitte verwenden Sie die Meldung «Brücke gesperrt» nicht", None),
    ("de", "Die Meldung «Brücke gesperrt» von 10.12 Uhr wird zurückgezogen.", "kill"),
    ("de", "Korrigierte Fassung: Im ersten Absatz wurde das Datum berichtigt", "correction"),
    ("de", "RÜCKZUG: Brücke in Mühlfurt gesperrt", "kill"),
    ("de", "(Wiederholung vom Vorabend)", None),
    ("de", "3. Zusammenfassung", "update"),
    ("de", "Sperrfrist 22.11., 6.00 Uhr", None),
    ("fr", "RECTIFICATIF: la longueur du pont est de 140 mètres", "correction"),
    ("fr", "ANNULATION: prière de ne pas tenir compte de notre dépêche de 10h12", "kill"),
    ("fr", "(Actualisé avec la réaction du maire)", "update"),
    ("fr", "Attention, corrige la longueur du pont au 2e paragraphe ///", "correction"),
    ("fr", "ATTENTION - ajoute réaction du maire, contexte ///", "update"),
    ("fr", "Note aux rédactions: une photo suit", None),
    ("fr", "Version corrigée de la dépêche de 10h12", "correction"),
    ("es", "(Corrige la longitud del puente en el segundo párrafo)", "correction"),
    ("es", "ANULACIÓN: rogamos anulen la noticia titulada «Cae el puente»", "kill"),
    ("es", "Atención, rogamos a los abonados que anulen la noticia «Cae el puente» transmitida a las 10.12", "kill"),
    ("es", "NOTA A LOS EDITORES: seguirán fotografías", None),
    ("es", "(Actualiza con reacción del alcalde)", "update"),
    ("es", "URGENTE", None),
    ("es", "RECTIFICACIÓN: el puente mide 140 metros", "correction"),
    ("it", "RETTIFICA: il ponte è lungo 140 metri", "correction"),
    ("it", "ANNULLAMENTO: la notizia delle 10.12 è annullata", "kill"),
    ("it", "Attenzione: si prega di annullare la notizia delle 10.12", "kill"),
    ("it", "(RIPETIZIONE CORRETTA)", "correction"),
    ("it", "++ RIPETIZIONE CON TITOLO CORRETTO ++", "correction"),
    ("it", "(AGGIORNA con dichiarazione del sindaco)", "update"),
    ("pt", "RETIFICAÇÃO: a ponte tem 140 metros", "correction"),
    ("pt", "(ATUALIZA com declarações do presidente da câmara)", "update"),
    ("pt", "ANULAÇÃO: pede-se que anulem a notícia das 10:12", "kill"),
    ("pt", "Atenção editores: segue fotografia", None),
    ("pt", "(CORRIGE COMPRIMENTO DA PONTE NO SEGUNDO PARÁGRAFO)", "correction"),
    ("nl", "RECTIFICATIE: de brug is 140 meter lang", "correction"),
    ("nl", "CORRECTIE: in de tweede alinea moet het 140 meter zijn", "correction"),
    ("nl", "INTREKKING: het bericht van 10.12 uur vervalt", "kill"),
    ("nl", "Let op redacties: het bericht 'Brug dicht' vervalt", "kill"),
    ("nl", "(herhaling met nieuwe kop)", None),
    ("nl", "NOOT VOOR DE REDACTIE: foto volgt", None),
    ("sv", "RÄTTELSE: bron är 140 meter lång", "correction"),
    ("sv", "STRYKS: telegrammet från kl 10.12 stryks", "kill"),
    ("sv", "Till red: bild följer", None),
    ("sv", "Uppdaterad version med citat", "update"),
    ("sv", "MAKULERAS: Bron i Milfors rasar", "kill"),
    ("sv", "OBS: Ersätter tidigare version", None),
    ("nb", "RETTELSE: broen er 140 meter lang", "correction"),
    ("nb", "Til red.: bilde følger", None),
    ("nb", "TREKKES: Saken fra kl. 10.12 trekkes", "kill"),
    ("nb", "KORRIGERT VERSJON: retter lengden i andre avsnitt", "correction"),
    ("nb", "Oppdatert med sitat fra ordføreren", "update"),
    ("nb", "(NY, fyldigere)", "update"),
    ("da", "RETTELSE: broen er 140 meter lang", "correction"),
    ("da", "Til red.: billede følger", None),
    ("da", "TILBAGEKALDELSE: telegrammet kl. 10.12 udgår", "kill"),
    ("da", "Telegrammet «Bro lukket» annulleres", "kill"),
    ("da", "Opdateret med citat fra borgmesteren", "update"),
    ("da", "Retter længden i andet afsnit", "correction"),
]  # fmt: skip


def dispatch(language: str, note: str) -> str:
    headline, dateline, copy = STORIES[language]
    return f"{note}\n\n{headline}\n\n{dateline} {copy}"


@pytest.mark.parametrize(("language", "note"), [case[:2] for case in NOTES])
def test_a_line_to_editors_is_a_note_above_the_headline(language: str, note: str) -> None:
    text = dispatch(language, note)
    found = [(segment.kind, text[segment.start : segment.end]) for segment in lay_out(text, language)]
    assert found == list(
        zip(("note", "headline", "dateline", "paragraph"), (note, *STORIES[language]), strict=True)
    )


@pytest.mark.parametrize(("language", "note", "relation"), NOTES)
def test_what_the_note_makes_of_the_story(language: str, note: str, relation: str | None) -> None:
    signals = read_signals(
        headline=STORIES[language][0],
        text=dispatch(language, note),
        language=language,
        reference="2026-11-21T10:00:00Z",
    )
    assert signals.relation == relation


@pytest.mark.parametrize(
    ("language", "headline"),
    [
        ("sv", "Ny version av spelet om storspovar släpps"),
        ("nb", "Saken mot fergekapteinen trekkes"),
        ("da", "Retter med kål er tilbage på menuen"),
        ("nl", "Nieuwe versie van app voor fietsers"),
        ("en", "Report corrected by council after ten years"),
        ("es", "Corregir exámenes en casa cansa a los maestros"),
        ("de", "Meldung über Wolf am Deich bestätigt"),
    ],
)
def test_headlines_with_such_words_stay_headlines(language: str, headline: str) -> None:
    _, dateline, copy = STORIES[language]
    text = f"{headline}\n\n{dateline} {copy}"
    assert lay_out(text, language)[0].kind == "headline"
    assert read_signals(headline=headline, text=text, language=language).relation is None
