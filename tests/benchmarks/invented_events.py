"""Invented events and their reports: what the corpora lack, events of one kind, in one wording, that are not the same.

A report is a sentence of a kind of event in one of six languages, filled with a place, a name and a figure. Two reports of one
event share these; two events of one kind share the words alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from processors.model.event import Event, Language, Lineage, Provenance
from processors.model.story import Story
from processors.times import HOUR_MS, to_timestamp

PLACES: Final = (
    "Palermo", "Bergen", "Valencia", "Perth", "Oslo", "Porto", "Ankara", "Quito", "Nairobi", "Lima", "Manila", "Hanoi",
    "Dakar", "Rabat", "Trieste", "Gdansk", "Bilbao", "Kigali", "Osaka", "Tampere", "Leipzig", "Nantes", "Cork", "Utrecht",
)  # fmt: skip
NAMES: Final = (
    "Benassi", "Vukasin", "Marlowe", "Ruibal", "Mwandira", "Wessling", "Minamide", "Okonjo", "Larsdotter", "Kazakov",
    "Delacroix", "Etxeberria", "Novotny", "Haugen", "Tamminen", "Quispe", "Abdellaoui", "Pacheco", "Zielinski", "Brandt",
)  # fmt: skip
KINDS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "ferry": {
        "en": ("Ferry sinks off {place}: {figure} people are missing, captain {name} says.", "{figure} missing after a ferry hit a rock near {place}; captain {name} was rescued."),
        "es": ("Un ferry se hunde frente a {place}: {figure} desaparecidos, dice el capitán {name}.",),
        "fr": ("Un ferry coule au large de {place} : {figure} disparus, selon le capitaine {name}.",),
        "de": ("Fähre sinkt vor {place}: {figure} Menschen vermisst, sagt Kapitän {name}.",),
        "it": ("Un traghetto affonda al largo di {place}: {figure} dispersi, dice il comandante {name}.",),
        "pt": ("Balsa afunda perto de {place}: {figure} desaparecidos, diz o comandante {name}.",),
    },
    "quake": {
        "en": ("An earthquake shook {place}, {figure} houses were damaged, mayor {name} said.", "Quake near {place} damages {figure} homes, says mayor {name}."),
        "es": ("Un terremoto sacude {place} y daña {figure} casas, según la alcaldesa {name}.",),
        "fr": ("Un séisme a secoué {place}, {figure} maisons endommagées, selon la maire {name}.",),
        "de": ("Erdbeben erschüttert {place}, {figure} Häuser beschädigt, sagt Bürgermeisterin {name}.",),
        "it": ("Un terremoto scuote {place}, {figure} case danneggiate, dice la sindaca {name}.",),
        "pt": ("Terremoto abala {place} e danifica {figure} casas, diz a prefeita {name}.",),
    },
    "strike": {
        "en": ("Bus drivers in {place} went on strike, {figure} buses stayed in the depot, union leader {name} said.", "Strike stops {figure} buses in {place}, says {name} of the drivers' union."),
        "es": ("Los conductores de autobús de {place} hacen huelga; {figure} autobuses parados, dice el sindicalista {name}.",),
        "fr": ("Grève des chauffeurs de bus à {place} : {figure} bus à l'arrêt, dit le syndicaliste {name}.",),
        "de": ("Busfahrer in {place} streiken, {figure} Busse bleiben stehen, sagt Gewerkschafter {name}.",),
        "it": ("Sciopero degli autisti a {place}: {figure} autobus fermi, dice il sindacalista {name}.",),
        "pt": ("Motoristas de ônibus de {place} entram em greve; {figure} ônibus parados, diz o sindicalista {name}.",),
    },
    "match": {
        "en": ("{place} won the football cup after {name} scored before {figure} spectators.", "A goal by {name} gives {place} the cup, {figure} fans celebrate."),
        "es": ("El {place} gana la copa de fútbol con un gol de {name} ante {figure} espectadores.",),
        "fr": ("{place} remporte la coupe de football grâce à un but de {name} devant {figure} spectateurs.",),
        "de": ("{place} gewinnt den Fußballpokal durch ein Tor von {name} vor {figure} Zuschauern.",),
        "it": ("Il {place} vince la coppa di calcio con un gol di {name} davanti a {figure} spettatori.",),
        "pt": ("{place} vence a taça de futebol com gol de {name} diante de {figure} espectadores.",),
    },
    "election": {
        "en": ("{name} is elected mayor of {place} with {figure} votes.", "Voters in {place} choose {name} as mayor, with {figure} votes."),
        "es": ("{name} gana las elecciones a la alcaldía de {place} con {figure} votos.",),
        "fr": ("{name} est élue maire de {place} avec {figure} voix.",),
        "de": ("{name} wird mit {figure} Stimmen zur Bürgermeisterin von {place} gewählt.",),
        "it": ("{name} eletta sindaca di {place} con {figure} voti.",),
        "pt": ("{name} é eleita prefeita de {place} com {figure} votos.",),
    },
    "fire": {
        "en": ("A fire in a market of {place} destroyed {figure} stalls, fire chief {name} said.", "Market fire in {place}: {figure} stalls burnt, says fire chief {name}."),
        "es": ("Un incendio en un mercado de {place} destruye {figure} puestos, según el jefe de bomberos {name}.",),
        "fr": ("Un incendie détruit {figure} étals d'un marché de {place}, selon le chef des pompiers {name}.",),
        "de": ("Brand auf einem Markt in {place} zerstört {figure} Stände, sagt Feuerwehrchef {name}.",),
        "it": ("Un incendio distrugge {figure} bancarelle di un mercato a {place}, dice il capo dei pompieri {name}.",),
        "pt": ("Incêndio em mercado de {place} destrói {figure} barracas, diz o chefe dos bombeiros {name}.",),
    },
    "verdict": {
        "en": ("A court in {place} sentenced banker {name} to prison for fraud of {figure} million euros.", "Banker {name} convicted in {place} of a fraud of {figure} million."),
        "es": ("Un tribunal de {place} condena a prisión al banquero {name} por un fraude de {figure} millones de euros.",),
        "fr": ("Un tribunal de {place} condamne le banquier {name} à la prison pour une fraude de {figure} millions d'euros.",),
        "de": ("Gericht in {place} verurteilt Bankier {name} wegen Betrugs um {figure} Millionen Euro zu Haft.",),
        "it": ("Un tribunale di {place} condanna al carcere il banchiere {name} per una frode da {figure} milioni di euro.",),
        "pt": ("Tribunal de {place} condena o banqueiro {name} à prisão por fraude de {figure} milhões de euros.",),
    },
    "storm": {
        "en": ("A storm left {figure} households in {place} without power, minister {name} said.", "{figure} homes without electricity after a storm in {place}, says {name}."),
        "es": ("Una tormenta deja sin luz {figure} hogares en {place}, según la ministra {name}.",),
        "fr": ("Une tempête prive d'électricité {figure} foyers à {place}, selon la ministre {name}.",),
        "de": ("Sturm: {figure} Haushalte in {place} ohne Strom, sagt Ministerin {name}.",),
        "it": ("Una tempesta lascia senza luce {figure} famiglie a {place}, dice la ministra {name}.",),
        "pt": ("Tempestade deixa {figure} casas sem energia em {place}, diz a ministra {name}.",),
    },
}  # fmt: skip
HOURS_BETWEEN: Final = 6  # reports of one event come within so many; events of one kind a day and more apart


@dataclass(frozen=True, slots=True)
class InventedReport:
    """A report as a tagged event without tags, and the number of the event that it tells of."""

    event: Event
    happening: int


def invent_reports(seed: int, count: int, kinds: tuple[str, ...] = tuple(KINDS)) -> list[InventedReport]:
    """The reports of so many invented events in order of time; the same seed gives the same ones."""
    draw = random.Random(seed)  # noqa: S311 -- prose, not secrets
    reports = [report for number in range(count) for report in _reports(draw, number, draw.choice(kinds))]
    return sorted(reports, key=lambda report: report.event.story.version_created or "")


def _reports(draw: random.Random, number: int, kind: str) -> Iterator[InventedReport]:
    at_ms = 1_772_000_000_000 + draw.randrange(0, 14 * 24) * HOUR_MS
    place, name, figure = draw.choice(PLACES), draw.choice(NAMES), draw.randrange(11, 980)
    languages = draw.sample(list(KINDS[kind]), draw.randint(1, 5))
    for language in languages:
        for wording in draw.sample(KINDS[kind][language], draw.randint(1, len(KINDS[kind][language]))):
            told = figure if draw.random() < 0.7 else figure + draw.randint(1, 9)
            at = to_timestamp(at_ms + draw.randrange(0, HOURS_BETWEEN * 60) * 60_000)
            uri = f"urn:invented:{number}:{language}:{KINDS[kind][language].index(wording)}"
            yield InventedReport(
                Event(
                    Story(uri=uri, version="1", version_created=at),
                    text=wording.format(place=place, name=name if draw.random() < 0.7 else "", figure=told),
                    language=Language(language, 0.99),
                    lineage=Lineage(uri, "new"),
                    provenance=Provenance("2026-04-01T00:00:00Z", "ninjs", source=f"{language}-desk"),
                ),
                number,
            )
