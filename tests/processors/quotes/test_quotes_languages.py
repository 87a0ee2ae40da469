"""Who said it, language by language: nouns, pronouns, institutions, nested marks, dashes, words in between."""

from __future__ import annotations

import re

import pytest

from processors.model.event import Segment
from processors.quotes import find_quotes


def told(text: str, language: str) -> list[tuple[str, str | None]]:
    segments = tuple(Segment(line.start(), line.end(), "paragraph") for line in re.finditer(r"\S.*", text))
    return [
        (text[quote.start : quote.end], quote.speaker.text if quote.speaker else None)
        for quote in find_quotes(text, segments, language)
        if quote.kind != "indirect"
    ]


@pytest.mark.parametrize(
    ("language", "text", "words", "speaker"),
    [
        (
            "es",
            "«El puente abrirá», dijo la ministra Ana Peral.",
            "El puente abrirá",
            "la ministra Ana Peral",
        ),
        ("es", "“El puente abrirá”, ha dicho Peral.", "El puente abrirá", "Peral"),
        ("es", "El portavoz aseguró que el plan es «bueno para todos».", "bueno para todos", "El portavoz"),
        ("es-MX", "Según la policía, el acto fue “muy tranquilo”.", "muy tranquilo", "la policía"),
        (
            "fr",
            "« Le pont ouvrira », a déclaré la ministre Anne Morel.",
            "Le pont ouvrira",
            "la ministre Anne Morel",
        ),
        ("fr", "« Le pont ouvrira », a-t-elle ajouté.", "Le pont ouvrira", "elle"),
        ("fr", "« Le pont ouvrira », dit-il.", "Le pont ouvrira", "il"),
        ("fr", "Selon l’agence Vera, le pont est « presque fini ».", "presque fini", "l’agence Vera"),
        (
            "de",
            "„Die Brücke öffnet im Mai“, sagte Karl Brandt am Montag.",
            "Die Brücke öffnet im Mai",
            "Karl Brandt",
        ),
        ("de", "Karl Brandt nannte den Plan »sehr gut«.", "sehr gut", "Karl Brandt"),
        ("de", "Laut der Polizei war die Lage „sehr ruhig“.", "sehr ruhig", "der Polizei"),
        (
            "it",
            "«Il ponte aprirà», ha detto il sindaco Paolo Verdi.",
            "Il ponte aprirà",
            "il sindaco Paolo Verdi",
        ),
        ("it", "Secondo la procura, il piano è «molto chiaro».", "molto chiaro", "la procura"),
        (
            "pt",
            "“A ponte vai abrir”, disse o ministro João Pinto.",
            "A ponte vai abrir",
            "o ministro João Pinto",
        ),
        ("pt", "Segundo a polícia, o ato foi “muito calmo”.", "muito calmo", "a polícia"),
    ],
)
def test_the_speaker_is_found_by_the_languages_own_words(
    language: str, text: str, words: str, speaker: str
) -> None:
    assert told(text, language) == [(words, speaker)]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "es",
            "—No voy a dimitir —dijo Ana Peral—. Seguiremos trabajando.",
            [("No voy a dimitir", "Ana Peral"), ("Seguiremos trabajando.", "Ana Peral")],
        ),
        ("es", "—No voy a dimitir —dijo Ana Peral.", [("No voy a dimitir", "Ana Peral")]),
        ("fr", "– Je ne sais pas encore, a répondu Paul Lenoir.", [("Je ne sais pas encore", "Paul Lenoir")]),
        ("it", "– Non lo so, ha risposto Paolo Verdi.", [("Non lo so", "Paolo Verdi")]),
    ],
)
def test_a_dash_at_the_head_of_a_paragraph_opens_speech(
    language: str, text: str, expected: list[tuple[str, str]]
) -> None:
    assert told(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "— Una mesa, dos sillas y una lámpara"),
        ("fr", "– Le pont, la gare et le port"),
        ("en", "— The bridge, said Ana Ruiz, will open."),
        ("de", "– Die Brücke, sagte Karl Brandt, ist offen."),
    ],
)
def test_lists_and_languages_without_dialogue_dashes_have_no_such_speech(language: str, text: str) -> None:
    assert told(text, language) == []


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("nl", "“De brug gaat open”, zegt hij.", [("De brug gaat open", "hij")]),
        (
            "nl",
            "‘De brug gaat in mei open’, aldus burgemeester Wim Post.",
            [("De brug gaat in mei open", "burgemeester Wim Post")],
        ),
        ("nl", 'Volgens de politie was het "een lange nacht".', [("een lange nacht", "de politie")]),
        ("nl", "Minister Post noemde het plan “niet haalbaar”.", [("niet haalbaar", "Minister Post")]),
        ("nl", '"We gaan door", liet het bedrijf weten.', [("We gaan door", "het bedrijf")]),
        ("nl", "De gemeente spreekt van “een moeilijk besluit”.", [("een moeilijk besluit", "De gemeente")]),
        ("sv", "”Bron öppnar i maj”, säger hon.", [("Bron öppnar i maj", "hon")]),
        (
            "sv",
            "– Bron öppnar i maj. Det är säkert, säger Per Lind, chef på verket. Vi hoppas på fint väder.",
            [("Bron öppnar i maj. Det är säkert", "Per Lind"), ("Vi hoppas på fint väder.", "Per Lind")],
        ),
        ("sv", "Enligt polisen var det ”en lugn natt”.", [("en lugn natt", "polisen")]),
        ("sv", "– Nej, svarar Per Lind.", [("Nej", "Per Lind")]),
        ("no", "«Broen åpner i mai», sier ordfører Tor Nes.", [("Broen åpner i mai", "ordfører Tor Nes")]),
        ("nb", "– Det gikk bra, sier hun til avisen.", [("Det gikk bra", "hun")]),
        ("da", "»Broen åbner i maj«, siger han.", [("Broen åbner i maj", "han")]),
        (
            "da",
            "- Det gik godt, fortæller Jens Bro. Vi er glade.",
            [("Det gik godt", "Jens Bro"), ("Vi er glade.", "Jens Bro")],
        ),
        ("da", 'Ifølge politiet var det "en rolig nat".', [("en rolig nat", "politiet")]),
        ("de", "„Wir bauen weiter“, so der Bürgermeister.", [("Wir bauen weiter", "der Bürgermeister")]),
        ("de", "„Wir bauen weiter“, sagte er.", [("Wir bauen weiter", "er")]),
        ("de", "„Wir bauen weiter“, teilte das Ministerium mit.", [("Wir bauen weiter", "das Ministerium")]),
        (
            "de",
            "Der Sprecher sagte: „Wir haben ‚Nein‘ gesagt.“",
            [("Wir haben ‚Nein‘ gesagt.", "Der Sprecher")],
        ),
        ("de", "»Wir gehen«, rief sie.", [("Wir gehen", "sie")]),
        ("fr", "« Nous partons », ont déclaré les syndicats.", [("Nous partons", "les syndicats")]),
        ("fr", "« Il m'a dit “non” », a raconté Anne Morel.", [("Il m'a dit “non”", "Anne Morel")]),
        ("fr", "— Nous partons demain, répondit-elle.", [("Nous partons demain", "elle")]),
        ("fr", "Pour Paris, c'est « une ligne rouge ».", [("une ligne rouge", "Paris")]),
        ("fr", "« Nous partons », selon un communiqué.", [("Nous partons", "un communiqué")]),
        ("es", "«Nos vamos», afirmaron los sindicatos en un comunicado.", [("Nos vamos", "los sindicatos")]),
        ("es", "El comunicado señala que es «una vergüenza».", [("una vergüenza", "El comunicado")]),
        ("es", "Damasco calificó la medida de “inaceptable”.", [("inaceptable", "Damasco")]),
        ("es", "“Me dijo 'no' y se fue”, contó ella.", [("Me dijo 'no' y se fue", "ella")]),
        ("es", "—¿Vendrá mañana? —preguntó él.", [("¿Vendrá mañana?", "él")]),
        ("it", "«Non lo so», ha detto lui.", [("Non lo so", "lui")]),
        ("it", "“Andiamo via”, fa sapere il sindacato.", [("Andiamo via", "il sindacato")]),
        ("it", "— Andiamo via — disse Paolo Verdi.", [("Andiamo via", "Paolo Verdi")]),
        ("pt", "“Vamos embora”, disse ela.", [("Vamos embora", "ela")]),
        ("pt", "– Vamos embora – disse João Pinto.", [("Vamos embora", "João Pinto")]),
        ("pt", "O Governo considera a decisão “um erro”.", [("um erro", "O Governo")]),
        ("en", "「We leave tomorrow,」 the ministry said.", [("We leave tomorrow,", "the ministry")]),
        ("en", "“He told me ‘no’ and left,” she said.", [("He told me ‘no’ and left,", "she")]),
        ("en", "Damascus called the raid “a crime”.", [("a crime", "Damascus")]),
        ("en", "The statement said the raid was “a crime”.", [("a crime", "The statement")]),
        ("en", "“We leave,” said the unions in a joint statement.", [("We leave,", "the unions")]),
        ("en", "Villagers said the water was “like tea”.", [("like tea", "Villagers")]),
        ("en", "“We leave,” read a sign on the door.", [("We leave,", "a sign")]),
        ("en", '"We leave." — Ana Ruiz, mayor', [("We leave.", "Ana Ruiz")]),
        (
            "en",
            'Asked if she would resign, Ruiz replied: "No, never, not once."',
            [("No, never, not once.", "Ruiz")],
        ),
        ("ja", "「橋は五月に開く」と市長は述べた。", [("橋は五月に開く", "市長")]),
    ],
)
def test_who_said_it(language: str, text: str, expected: list[tuple[str, str | None]]) -> None:
    assert told(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text", "speaker"),
    [
        ("fr", "« Le pont ouvrira », a déclaré à l'AFP le maire, Paul Lenoir.", "le maire, Paul Lenoir"),
        ("es", "«El puente abrirá», ha dicho a EFE la ministra.", "la ministra"),
        ("it", "«Il ponte aprirà», ha detto all'ANSA il sindaco Verdi.", "il sindaco Verdi"),
        ("pt", "“A ponte vai abrir”, disse à Lusa o autarca João Pinto.", "o autarca João Pinto"),
    ],
)
def test_those_who_were_told_are_not_the_speaker(language: str, text: str, speaker: str) -> None:
    assert [said for _, said in told(text, language)] == [speaker]


def test_speech_behind_a_dash_goes_on_after_the_narrator_in_scandinavian_copy() -> None:
    text = "– Bron öppnar i maj, säger Per Lind. Vi hoppas på fint väder."
    assert told(text, "sv") == [("Bron öppnar i maj", "Per Lind"), ("Vi hoppas på fint väder.", "Per Lind")]
    assert told(text.replace("säger", "dit"), "fr") == [("Bron öppnar i maj", "Per Lind")]


def test_a_german_object_before_the_verb_is_no_speaker() -> None:
    text = "Brandt trat zurück. Den Prozess nannte sie „ein Fass ohne Boden“."
    assert told(text, "de") == [("ein Fass ohne Boden", "sie")]


def test_german_nouns_make_no_title() -> None:
    text = "Das Jahr sei „ein Jahr des Löffels“ gewesen, sagte Karl Brandt."
    assert told(text, "de") == [("ein Jahr des Löffels", "Karl Brandt")]


def test_copy_in_capitals_has_speakers_too() -> None:
    assert told('"THE RIVER CAME IN," MAYOR LIGAYA SANTOS SAID.', "en") == [
        ("THE RIVER CAME IN,", "MAYOR LIGAYA SANTOS")
    ]


EAST = [
    ("pl", "„Most będzie gotowy w maju” – powiedział burmistrz Jan Wierzba.", [("Most będzie gotowy w maju", "burmistrz Jan Wierzba")]),
    ("pl", "„Most będzie gotowy w maju” - powiedziała PAP rzeczniczka urzędu Anna Lipiec.", [("Most będzie gotowy w maju", "rzeczniczka urzędu Anna Lipiec")]),
    ("pl", "– Most będzie gotowy w maju – zapewniła Anna Lipiec. – Czekamy na wiosnę.", [("Most będzie gotowy w maju", "Anna Lipiec"), ("Czekamy na wiosnę.", "Anna Lipiec")]),
    ("pl", "Burmistrz Wierzba nazwał plan „zbyt drogim”.", [("zbyt drogim", "Burmistrz Wierzba")]),
    ("pl", "Według policji była to „bardzo spokojna” noc.", [("bardzo spokojna", "policji")]),
    ("pl", "„Nie wiem” – odpowiedziała ona.", [("Nie wiem", "ona")]),
    ("fi", "”Silta on valmis toukokuussa”, sanoi kaupunginjohtaja Aino Lehto.", [("Silta on valmis toukokuussa", "kaupunginjohtaja Aino Lehto")]),
    ("fi", "”Silta on valmis toukokuussa”, Lehto sanoi toimittajille.", [("Silta on valmis toukokuussa", "Lehto")]),
    ("fi", "– Silta on valmis toukokuussa, kaupunginjohtaja Aino Lehto sanoo. Odotamme kevättä.", [("Silta on valmis toukokuussa", "kaupunginjohtaja Aino Lehto"), ("Odotamme kevättä.", "kaupunginjohtaja Aino Lehto")]),
    ("fi", "– Silta on valmis toukokuussa, kertoo Lehto.", [("Silta on valmis toukokuussa", "Lehto")]),
    ("fi", "Poliisin mukaan yö oli ”hyvin rauhallinen”.", [("hyvin rauhallinen", "Poliisin")]),
    ("fi", "”En tiedä”, hän vastasi.", [("En tiedä", "hän")]),
    ("ru", "«Мост будет готов в мае», — сказал мэр Иван Рябов.", [("Мост будет готов в мае", "мэр Иван Рябов")]),
    ("ru", "«Мост будет готов в мае», — заявила журналистам представитель мэрии Анна Липова.", [("Мост будет готов в мае", "представитель мэрии Анна Липова")]),
    ("ru", "— Мост — наша гордость, — рассказала Анна Липова. — Ждём весны.", [("Мост — наша гордость", "Анна Липова"), ("Ждём весны.", "Анна Липова")]),
    ("ru", "Рябов назвал план «слишком дорогим».", [("слишком дорогим", "Рябов")]),
    ("ru", "По словам полиции, ночь была «очень спокойной».", [("очень спокойной", "полиции")]),
    ("ru", "„Не знаю“, — ответил он.", [("Не знаю", "он")]),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "expected"), EAST)
def test_who_said_it_in_polish_finnish_and_russian(
    language: str, text: str, expected: list[tuple[str, str]]
) -> None:
    assert told(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pl", "– Most, dworzec i port"),
        ("pl", "– Most – duma miasta – stoi od stu lat."),
        ("fi", "– Silta, asema ja satama"),
        ("ru", "— Мост — гордость города — стоит сто лет."),
    ],
)
def test_dashes_without_a_cue_open_no_speech(language: str, text: str) -> None:
    assert told(text, language) == []
