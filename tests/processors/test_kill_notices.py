"""A kill has the form of a notice; news of kills, retractions and withdrawn things has not. All are invented.

The examples were written before the words that hear them.
"""

from __future__ import annotations

from time import perf_counter

import pytest

from processors.signals import read_signals

COPY = "The harbour council of Port Ellery voted on Tuesday to allow a night ferry to Gannet Island. " * 12
SOURCE = "QXN"

# Headline and text of notices, sent by the agency QXN.
NOTICES = [
    ("KILL", "Kill GANNET-FERRY, Port Ellery. A kill is mandatory."),
    ("KILL NOTICE: Night ferry sinks off Gannet", COPY),
    ("Night ferry sinks off Gannet - KILL", COPY),
    ("Night ferry sinks off Gannet (WITHDRAWN)", COPY),
    ("Night ferry sinks off Gannet — TAKEDOWN NOTICE", COPY),
    ("TAKEDOWN: Night ferry sinks off Gannet", COPY),
    ("STORY KILL: Night ferry sinks off Gannet", "The figures were wrong."),
    ("MANDATORY KILL - Night ferry sinks off Gannet", "The figures were wrong."),
    ("WITHDRAWN-Night ferry sinks off Gannet", "Please disregard this item; a substitute story will follow."),
    ("WITHDRAWAL-Night ferry sinks off Gannet", "QXN has withdrawn the story. No substitute is planned."),
    ("RETRACTION: Night ferry sinks off Gannet", "The story is retracted. Please remove it from your pages."),
    ("Kill Notice", "Please kill the story headlined “Night ferry sinks off Gannet”, which moved at 0912 GMT."),
    ("Note to editors", "Please withdraw the story headlined “Night ferry sinks off Gannet.” There is no substitute."),
    ("QXN withdraws story on ferry", "QXN withdraws its story headlined ‘Night ferry sinks off Gannet’ which moved at 0912 GMT on Monday. There will be no substitute story."),
    ("QXN retracts ferry story", "QXN is retracting its story slugged GANNET-FERRY. Clients are asked to remove it from all platforms."),
    ("BC-Gannet Ferry, Kill", "EDITORS: Please kill BC-Gannet Ferry, which moved earlier today. The ferry did not sink."),
    ("", "EDITORS:\nKill BC-Gannet-Ferry, Port Ellery. The ferry has not sunk.\nA kill is mandatory.\nMake certain the story is not published."),
    ("ADVISORY", "Subscribers: spike GANNET-FERRY of 0912 GMT. It was issued in error."),
    ("ATTENTION EDITORS", "The story “Night ferry sinks off Gannet” sent at 0912 GMT is withdrawn. The operator denies it."),
    ("ATTENTION EDITORS", "The following story was sent in error and should not be used: Night ferry sinks off Gannet."),
    ("Please disregard", "Please disregard “Night ferry sinks off Gannet”. It was a test."),
    ("Editors’ note", "We have retracted our report on the night ferry. Do not publish it."),
    ("Note", "Please take down the article “Night ferry sinks off Gannet” and any social media posts."),
    ("ANULACIÓN", "Rogamos anulen la noticia titulada «Se hunde el ferry de Gannet», transmitida a las 09:12."),
    ("ANULA: Se hunde el ferry de Gannet", "La información era errónea."),
    ("Se hunde el ferry de Gannet (ANULADA)", "La información era errónea."),
    ("AVISO A LOS ABONADOS", "Queda anulada la noticia «Se hunde el ferry de Gannet». Disculpen las molestias."),
    ("Atención", "QXN retira su noticia «Se hunde el ferry de Gannet», enviada a las 09:12."),
    ("Nota a los clientes", "Por favor, retiren de sus páginas la información titulada «Se hunde el ferry de Gannet»."),
    ("ANNULATION", "Veuillez annuler la dépêche intitulée « Le ferry de Gannet coule », diffusée à 9h12."),
    ("ANNULE - Le ferry de Gannet coule", "Les informations étaient erronées."),
    ("ANNULE ET REMPLACE : Le ferry de Gannet coule", "La dépêche diffusée à 9h12 comportait une erreur."),
    ("Attention", "Cette dépêche est annulée. Veuillez ne pas l’utiliser."),
    ("À NE PAS DIFFUSER", "La dépêche « Le ferry de Gannet coule » est à ne pas diffuser."),
    ("Avis aux abonnés", "QXN retire sa dépêche « Le ferry de Gannet coule », transmise à 9h12. Merci de la supprimer."),
    ("Aux clients", "Merci de ne pas tenir compte de la dépêche « Le ferry de Gannet coule »."),
    ("RÜCKZUG: Fähre sinkt vor Gannet", "Die Angaben waren falsch."),
    ("Achtung", "Achtung Redaktionen: Die Meldung „Fähre sinkt vor Gannet“ von 09.12 Uhr bitte nicht verwenden."),
    ("Hinweis an die Redaktionen", "Bitte ziehen Sie die Meldung „Fähre sinkt vor Gannet“ zurück."),
    ("Zurückgezogen", "Die Meldung „Fähre sinkt vor Gannet“ wird zurückgezogen. Eine neue Fassung folgt."),
    ("Fähre sinkt vor Gannet (ZURÜCKGEZOGEN)", "Die Angaben waren falsch."),
    ("Achtung", "Die QXN-Meldung „Fähre sinkt vor Gannet“ ist ungültig. Bitte löschen."),
    ("Korrekturhinweis", "QXN zieht die Meldung „Fähre sinkt vor Gannet“ zurück."),
    ("ANULAÇÃO", "Solicita-se a anulação da notícia intitulada “Ferry de Gannet afunda”, enviada às 09:12."),
    ("Atenção, editores", "Pede-se que anulem a notícia “Ferry de Gannet afunda”. A informação estava errada."),
    ("CANCELADA: Ferry de Gannet afunda", "A informação estava errada."),
    ("Nota aos clientes", "Fica sem efeito a notícia “Ferry de Gannet afunda”, enviada às 09:12."),
    ("ANNULLAMENTO", "Si prega di annullare la notizia dal titolo “Affonda il traghetto di Gannet”, inviata alle 09:12."),
    ("ANNULLATA - Affonda il traghetto di Gannet", "I dati erano sbagliati."),
    ("Attenzione", "La notizia “Affonda il traghetto di Gannet” è annullata. Segue nuova versione."),
    ("Nota alle redazioni", "QXN ritira la notizia “Affonda il traghetto di Gannet”, trasmessa alle 09:12."),
    ("INTREKKING", "Het bericht ‘Veerboot zinkt bij Gannet’ wordt ingetrokken."),
    ("Let op", "Gelieve het bericht ‘Veerboot zinkt bij Gannet’ in te trekken. De gegevens klopten niet."),
    ("Veerboot zinkt bij Gannet (INGETROKKEN)", "De gegevens klopten niet."),
    ("ÅTERKALLAS", "Telegrammet ”Färja sjönk vid Gannet” återkallas. Uppgifterna var fel."),
    ("Till redaktionen", "Notisen ”Färja sjönk vid Gannet” utgår."),
    ("ANNULLERES", "Meldingen «Ferge sank ved Gannet» annulleres. Opplysningene var feil."),
    ("Til redaksjonen", "Saken «Ferge sank ved Gannet» trekkes tilbake."),
    ("ANNULLERES", "Telegrammet »Færge sank ved Gannet« annulleres. Oplysningerne var forkerte."),
    ("Til redaktionen", "Historien »Færge sank ved Gannet« trækkes tilbage."),
    ("MITÄTÖIDÄÄN", "Uutinen ”Lautta upposi Gannetissa” mitätöidään."),
    ("PERUTTU: Lautta upposi Gannetissa", "Tiedot olivat virheelliset."),
    ("АННУЛИРУЕТСЯ", "Сообщение «Паром затонул у Ганнета» аннулируется."),
    ("Вниманию редакций", "Просим не использовать сообщение «Паром затонул у Ганнета»."),
    ("ANULOWANA: Prom zatonął koło Gannet", "Dane były błędne."),
    ("【記事取り消し】", "「ガネット沖でフェリー沈没」の記事を取り消します。"),
    ("기사 취소", "「가넷 앞바다 여객선 침몰」 기사를 취소합니다."),
    ("撤稿", "《甘尼特渡轮沉没》一稿作废，请勿采用。"),
    ("CORRECTED-KILL: Night ferry sinks off Gannet", "Kill. Corrects the reason."),
    ("URGENT - KILL NOTICE - Night ferry sinks off Gannet", COPY),
    ("ANULACIÓN", "Se anula la noticia GANNET-FERRY."),
    ("ZURÜCKGEZOGEN", "Fähre sinkt vor Gannet"),
    ("إلغاء", "يرجى إلغاء الخبر «غرق عبارة قرب غانيت»."),
    ("BC-Norland-Strike, Kill", "EDITORS: Please kill BC-Norland-Strike. The union denies that a strike was called. A kill is mandatory. Make certain the story is not published. A sub will be filed."),
    ("AP-NORLAND STRIKE, KILL", "Editors, members: Kill the AP story slugged Norland-Strike. The AP"),
    ("(WITHDRAWN) Dockers of Norland to strike on Friday", "This story has been withdrawn."),
    ("WITHDRAWAL-Dockers of Norland to strike on Friday", "Please be advised that the story is withdrawn. There will be no substitute story."),
    ("Dockers of Norland to strike on Friday **WITHDRAWN**", COPY),
    ("Kill notice: Dockers of Norland to strike", "Please remove from all platforms."),
    ("RETRACTED: Dockers of Norland to strike on Friday", "The information came from a false account."),
    ("*** KILL *** Dockers of Norland to strike on Friday", COPY),
    ("Advisory: kill Norland strike story", "Attention editors: Kill the story 'Dockers of Norland to strike on Friday' immediately."),
    ("ATTENTION", "Attention users: please disregard our previous story on the Norland strike."),
    ("EDITORS' NOTE", "QXN is withdrawing the story NORLAND-STRIKE published at 10:04 GMT because it does not meet our standards."),
    ("Notice", "Subscribers are asked not to use the item on the dockers. It was transmitted by mistake."),
    ("LEGAL WARNING", "Please do not publish our story on Ida Vane, and take it down where it was published."),
    ("ANULA Los estibadores de Norlandia irán a la huelga", "Anulen la información de las 10.04 horas."),
    ("(ANULADA) Los estibadores de Norlandia irán a la huelga", "No la publiquen."),
    ("ANULACIÓN - Los estibadores irán a la huelga", "Se anula la noticia enviada a las 10:04. Disculpen las molestias."),
    ("Aviso", "Estimados abonados: les rogamos que no utilicen la noticia titulada «Los estibadores irán a la huelga»."),
    ("ANNULATION: Les dockers de Norlande en grève vendredi", "Prière d'annuler la dépêche."),
    ("Les dockers de Norlande en grève vendredi (ANNULÉE)", COPY),
    ("ATTENTION", "Attention rédactions, la dépêche « Les dockers en grève » est annulée, merci de ne pas la publier."),
    ("A NE PAS UTILISER - Les dockers de Norlande en grève", "Une erreur s'est glissée dans la dépêche."),
    ("Retrait de dépêche", "Nous retirons notre dépêche « Les dockers en grève », diffusée par erreur."),
    ("Achtung: Meldung zurückgezogen", "Bitte verwenden Sie die Meldung „Hafenarbeiter streiken am Freitag“ nicht. Sie ist falsch."),
    ("ZURÜCKGEZOGEN - Hafenarbeiter streiken am Freitag", COPY),
    ("Achtung Kunden", "Der Text „Hafenarbeiter streiken“ ist gesperrt. Bitte nicht veröffentlichen."),
    ("STORNO: Hafenarbeiter streiken am Freitag", "Die Gewerkschaft dementiert."),
    ("ANNULLAMENTO NOTIZIA: Sciopero dei portuali venerdì", "La notizia è da considerarsi annullata."),
    ("ATTENZIONE", "Attenzione redazioni: la notizia sullo sciopero delle 10:04 è annullata. Si prega di non utilizzarla."),
    ("ANULADA: Estivadores fazem greve sexta-feira", "A notícia fica sem efeito."),
    ("Atenção", "Por favor, desconsiderem a notícia “Estivadores fazem greve”, divulgada às 10h04."),
    ("INGETROKKEN: Havenarbeiders staken vrijdag", "Het bericht klopt niet."),
    ("Let op", "Let op: het bericht ‘Havenarbeiders staken vrijdag’ vervalt."),
    ("UTGÅR: Hamnarbetare strejkar på fredag", "Uppgifterna stämmer inte."),
    ("Obs", "Obs redaktioner: telegrammet om hamnarbetarna ska makuleras."),
    ("TREKKES: Havnearbeidere streiker fredag", "Meldingen er feil."),
    ("TILBAGEKALDES: Havnearbejdere strejker fredag", "Telegrammet er forkert."),
    ("PERUTAAN: Satamatyöntekijät lakkoon", "Uutinen oli virheellinen."),
    ("LEAD KILL", "Kill Kyodo story slugged Norland strike, moved at 10:04 a.m. It was sent in error."),
]  # fmt: skip

# Headline and beginning of news, sent by the agency QXN, in full and as a brief.
NEWS = [
    # English
    ("Ostby Post retracts story on mayor", "The Ostby Post has retracted its story headlined “Mayor sold the harbour” after an inquiry, its editor said."),
    ("Broadcaster withdraws report on ferry", "Kanal Nord withdraws its report titled “The ferry that never sailed”, the broadcaster said on Tuesday."),
    ("Agency withdraws story after complaint", "The news agency Veltpress on Monday withdrew a story that said the ferry had sunk."),
    ("Bill withdrawn in Norland", "The government has withdrawn the bill on night ferries, the minister said."),
    ("Report on ferry safety withdrawn", "A report on the safety of night ferries has been withdrawn by the ministry, officials said."),
    ("Editors kill story on minister, union says", "Editors at the Ostby Post killed a story on the minister’s yacht, the journalists’ union said."),
    ("Withdrawal: what it means for Norland", "Norland’s withdrawal from the fishing pact takes effect in May."),
    ("WITHDRAWAL: NORLAND LEAVES FISHING PACT", "Norland will leave the fishing pact in May, the government said on Tuesday."),
    ("Kill bill, senators tell president", "Senators asked the president to kill the bill on Monday."),
    ("Troops kill 12 in raid", "Troops killed 12 people in a raid near Port Ellery on Monday, the army said."),
    ("Ferry line says: please disregard the old timetable", "Please disregard the old timetable, the ferry line told passengers on Monday."),
    ("“We withdraw this motion,” mayor says", "“We withdraw this motion and the report on which it rests,” the mayor told the council."),
    ("Retracted: How a paper on gulls fell apart", "The journal retracted the paper on gulls in May after its authors admitted that figures were made up."),
    ("Scientist asks journal to withdraw the article", "A scientist has asked the journal to withdraw the article on gulls that she wrote in 2019."),
    ("Please kill the lights, park asks residents", "Please kill the lights at night, the park asked residents of Port Ellery on Monday."),
    ("Cancelled: ten concerts you will miss", "The summer’s concerts are cancelled. Here are ten that you will miss."),
    ("Attention: 3 killed in harbour fire", "Three people were killed in a fire at the harbour, firemen said. Attention turned to the cables."),
    ("Takedown: how police caught the ferry gang", "Police tell how they caught the gang that robbed night ferries."),
    ("Court orders site to take down article", "A court ordered the site to take down the article on the mayor, saying it was false."),
    ("QXN withdraws its reporters from Norland", "QXN withdraws its reporters from Norland, the agency said on Monday."),
    ("Norland spikes story on oil, paper says", "Norland’s censors spiked the story on the oil spill, the paper said."),
    # German
    ("Rückzug: Pichl gibt den Vorsitz ab", "Egon Pichl gibt den Vorsitz der Partei ab, wie er am Montag mitteilte."),
    ("Zeitung zieht Bericht über Bürgermeister zurück", "Die „Ostbyer Zeitung“ hat den Bericht über den Bürgermeister zurückgezogen."),
    ("Text für Ferienprogramm wurde zurückgezogen", "Der Text über das Ferienprogramm wurde zurückgezogen, sagte eine Sprecherin der Stadt."),
    ("Beitrag des Senders ungültig", "Der Beitrag zum Wettbewerb ist ungültig, erklärte die Jury am Montag."),
    ("Fahrkarten nicht mehr verwenden", "Bitte die alten Fahrkarten nicht mehr verwenden, bat die Reederei am Montag."),
    ("Annullierung: Was Reisende wissen müssen", "Nach der Annullierung von zwölf Flügen haben Reisende Anspruch auf Geld."),
    ("Storniert - und nun?", "Wer eine Reise storniert hat, bekommt sein Geld oft erst nach Wochen zurück."),
    # French
    ("Annulation : le concert de Valbrune reporté", "L’annulation du concert de Valbrune a été confirmée lundi par la mairie."),
    ("Retrait - ce que change la loi", "Le retrait des troupes commencera en mai, a annoncé le ministre."),
    ("Le journal retire son article sur le maire", "Le Courrier d’Ostby a retiré son article sur le maire, a indiqué la rédaction."),
    ("Le tribunal annule l’élection", "Le tribunal a annulé l’élection municipale d’Ostby, selon un arrêt rendu lundi."),
    ("Ne pas diffuser la vidéo, demande la police", "La police demande de ne pas diffuser la vidéo de l’accident, a-t-elle écrit lundi."),
    ("La chaîne supprime un reportage", "La chaîne a supprimé le reportage intitulé « Les ferries fantômes », a-t-elle annoncé."),
    ("L’agence Veltpress annule sa dépêche", "L’agence Veltpress a annulé sa dépêche sur le naufrage, a constaté la presse locale."),
    # Spanish
    ("Anulación del matrimonio: la guía", "La anulación del matrimonio crece en Norlandia, según datos publicados el lunes."),
    ("Retirada: las tropas salen de Ostby", "Las tropas iniciaron el lunes su retirada de Ostby, informó el Ejército."),
    ("Anulada la boda del príncipe", "La boda del príncipe queda anulada, dijo el lunes un portavoz de palacio."),
    ("El diario retira la noticia sobre el alcalde", "El Diario de Ostby ha retirado la noticia sobre el alcalde, informó su director."),
    ("El tribunal anula la nota de corte", "El tribunal anula la nota de corte de la oposición, según la sentencia del lunes."),
    ("La información fue retirada por el ministerio", "La información sobre los ferris fue retirada por el ministerio, señalaron fuentes oficiales."),
    # Italian
    ("Annullata la gara di Ostby", "La gara di Ostby è stata annullata per il maltempo, ha detto il sindaco."),
    ("Annullamento: come chiedere il rimborso", "Dopo l’annullamento dei voli i passeggeri possono chiedere il rimborso."),
    ("Il giornale ritira l’articolo sul sindaco", "Il Corriere di Ostby ha ritirato l’articolo sul sindaco, ha spiegato il direttore."),
    ("La notizia è stata smentita", "La notizia del naufragio è stata smentita dalla capitaneria, ha detto un portavoce."),
    # Portuguese
    ("Anulação do concurso gera protestos", "A anulação do concurso gerou protestos em Valmar, disse a polícia."),
    ("Cancelada: feira de Valmar não se realiza", "A feira de Valmar foi cancelada por causa da chuva, anunciou a câmara."),
    ("Jornal retira notícia sobre prefeito", "O Jornal de Valmar retirou a notícia sobre o prefeito, disse o seu diretor."),
    # Dutch
    ("Intrekking: wat betekent het besluit?", "De intrekking van het besluit betekent dat de veerboot blijft varen."),
    ("Krant trekt artikel over burgemeester in", "De krant heeft het artikel over de burgemeester ingetrokken, zei de hoofdredacteur."),
    ("Het bericht over de sluiting klopt niet", "Het bericht over de sluiting van de haven is ingetrokken, meldt de gemeente."),
    # Nordic
    ("Återkallas: bilar med fel på bromsen", "Tusen bilar återkallas efter fel på bromsen, uppger tillverkaren."),
    ("Tidningen drar tillbaka artikel", "Tidningen har dragit tillbaka artikeln om borgmästaren, säger chefredaktören."),
    ("Annulleres: Festivalen avlyst", "Festivalen annulleres på grunn av storm, opplyser arrangøren."),
    ("Avis trekker sak om ordfører", "Avisen trekker saken om ordføreren tilbake, sier redaktøren."),
    ("Avis trækker artikel tilbage", "Avisen har trukket artiklen om borgmesteren tilbage, siger chefredaktøren."),
    ("Tilbagekaldes: Ost fra Valby", "Osten tilbagekaldes på grund af listeria, oplyser fabrikken."),
    ("Peruttu: näin saat rahat takaisin", "Konsertti on peruttu, ja lipun hinnan saa takaisin, järjestäjä kertoo."),
    # Others
    ("取消：港の花火大会", "港の花火大会は台風のため中止になったと市が発表した。"),
    ("Аннулирование виз: что нужно знать", "Аннулирование виз начнётся в мае, сообщили в министерстве."),
    ("Sąd: decyzja anulowana", "Decyzja burmistrza została anulowana, poinformował sąd w poniedziałek."),
    # Of all these, written later
    ("Paper kills story after threat", "The Ostby Post killed its story on the mayor after a threat of suit, two of its editors said on Monday."),
    ("Please do not use this ferry, line warns", "Please do not use the ferry on Friday, the line warned passengers on its site."),
    ("Mayor withdraws statement", "The mayor has withdrawn the statement that he gave to QXN on Monday."),
    ("Recall: 3,000 kettles", "Quexon is recalling 3,000 kettles that may burn their users."),
    ("Agency apologises for story", "The agency Veltpress has apologised for a story that it sent in error on Monday."),
    ("Lawyers ask paper to take down report", "Lawyers of the mayor asked the paper to take down the report, calling it false."),
    ("Withdrawn: the troops are home", "The last troops came home on Monday after nine years."),
    ("Studio kills sequel", "The studio has killed the sequel to “The Ferry”, which lost money."),
    ("Kill switch for tractors", "Farmers can stop their tractors by a kill switch from May."),
    ("Censor: this article should not be published", "The censor wrote on the page that the article should not be published."),
    ("Article retracted by journal", "The article on gulls was retracted by the journal on Monday."),
    ("Correction was needed, says editor", "“We retract the story and apologise,” the editor said in a letter to readers."),
    ("Minister: Bitte nicht mehr verwenden", "Bitte das alte Formular nicht mehr verwenden, bat die Stadt am Montag."),
    ("Meldung über Unfall war falsch", "Die Meldung über einen Unfall wurde von der Polizei zurückgezogen, es hatte keinen gegeben."),
    ("Zurückgezogen lebt der Maler", "Zurückgezogen lebt der Maler auf Gannet, seit er achtzig ist."),
    ("Partei zieht Antrag zurück", "Die Partei zieht den Antrag zurück, weil ihr der Text nicht mehr gefällt, sagte ihr Sprecher."),
    ("Annulée, la fête attendra", "Annulée pour cause de pluie, la fête du port attendra le mois de mai."),
    ("Le ministre retire son texte", "Le ministre a retiré son texte sur les ports, a-t-il annoncé lundi."),
    ("Prière de ne pas nourrir les mouettes", "Prière de ne pas nourrir les mouettes, rappelle la mairie d'Ostby."),
    ("Anula el juez la multa", "El juez ha anulado la multa al Diario de Ostby por una noticia de 2019."),
    ("El gobierno retira la nota de prensa", "El gobierno retira la nota de prensa sobre los ferris, dijo un portavoz."),
    ("Annullata la multa al giornale", "È stata annullata la multa al giornale per un articolo del 2019, ha deciso il giudice."),
    ("Anulada a multa ao jornal", "Foi anulada a multa ao jornal por uma notícia de 2019, disse o juiz."),
    ("Rechter: artikel moet weg", "De krant moet het artikel verwijderen, oordeelde de rechter maandag."),
    ("Ingetrokken rijbewijs terug", "Zijn ingetrokken rijbewijs kreeg hij maandag terug."),
    ("Utgår ur sortimentet: sillen", "Sillen utgår ur sortimentet, meddelar butiken."),
    ("Trekkes for retten", "Redaktøren trekkes for retten etter artikkelen om ordføreren."),
    ("Cancelled ferry: what to do", "If your ferry is cancelled, ask the line for your money."),
    ("Norland retracts claim", "Norland retracts its claim to the island, its foreign minister wrote to the council."),
    ("Editors note rise in sales", "Editors note that sales of papers rose in May for the first time."),
]  # fmt: skip


def relation_of(headline: str, text: str, note: str = "") -> str | None:
    return read_signals(headline=headline, text=text, ed_note=note, sources=(SOURCE,)).relation


@pytest.mark.parametrize(("headline", "text"), NOTICES)
def test_a_notice_kills(headline: str, text: str) -> None:
    assert relation_of(headline, text) == "kill"


@pytest.mark.parametrize(("headline", "text"), NEWS)
def test_news_of_what_was_withdrawn_kills_nothing(headline: str, text: str) -> None:
    assert relation_of(headline, f"PORT ELLERY, March 2 (QXN) - {text} {COPY}") != "kill"
    assert relation_of(headline, f"{text}\n\n{COPY}") != "kill"
    assert relation_of(headline, text) != "kill"  # as a feed has it, without dateline
    assert relation_of("", f"{headline}\n\n{text}") != "kill"
    assert relation_of(headline, "") != "kill"


@pytest.mark.parametrize(
    ("slugline", "kills"),
    [
        ("BC-Mill Stops,KILL,0030", True),
        ("BC-Mill Stops, Kill, 1st Ld", True),
        ("BC-KILL--Mill Stops,0030", True),
        ("BC-Mill Stops,KILL ADV08,0030", True),
        ("BC-Mill Stops,Bulletin Elimination,0030", True),
        ("BC-Mill Stops,ELIMINATE", True),
        ("BC-Road Kill,0030", False),
        ("BC-FBN--Elimination, 1st Ld", False),
        ("BC-Kill-Mill Stops,0030", False),
    ],
)
def test_a_slug_line_kills_by_its_version_and_by_no_subject(slugline: str, *, kills: bool) -> None:
    signals = read_signals(
        headline="Mill stops", text=f"PORT ELLERY, March 2 (QXN) - {COPY}", slugline=slugline
    )
    assert (signals.relation == "kill") == kills


def test_a_new_version_that_takes_the_place_of_a_story_is_a_correction() -> None:
    assert (
        relation_of("ANNULE ET REMPLACE : Le ferry de Gannet coule", f"PORT ELLERY, 2 mars (QXN) - {COPY}")
        == "correction"
    )


@pytest.mark.parametrize("sources", [(), ("Ostby Post",)])
def test_only_the_sender_itself_withdraws_its_story(sources: tuple[str, ...]) -> None:
    text = "QXN withdraws its story headlined ‘Night ferry sinks off Gannet’ which moved at 0912 GMT."
    assert read_signals(headline="", text=text, sources=sources).relation is None
    assert read_signals(headline="", text=text, sources=("QXN",)).relation == "kill"


def test_what_somebody_said_kills_nothing() -> None:
    text = "“Please kill the story,” the minister wrote to the paper."
    assert relation_of("Minister wrote to paper", text) is None


def test_hostile_text_takes_time_in_proportion_to_its_length() -> None:
    def seconds(size: int) -> float:
        began = perf_counter()
        for number in range(3):
            text = (f"{number}“" * size + "please kill “" * size)[: 4 * size]
            read_signals(headline=text, ed_note=text, text=text, slugline=text)
        return perf_counter() - began

    seconds(1000)
    assert seconds(16_000) < 40 * seconds(4000) + 0.2
