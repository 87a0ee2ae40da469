"""Where names stand on the map: marked before the program ran on them, in the style of several agencies.

A place that is not told is a miss; one that is told elsewhere is wrong, and worse.
"""

from __future__ import annotations

from math import hypot

import pytest

from processors.model.event import Event
from processors.tag import Tagger
from tests.processors.tag.conftest import tag_copy

DEGREES_OFF = (
    2.6  # of a pin from where it was marked: a town is nearer, the middle of a large state is not sure
)
UNKNOWN_TOWN = (0.0, 0.0)  # too small for the gazetteer: its country may be told, no coordinates
Pin = tuple[str, float, float]
# A text; of some of its names the country, latitude and longitude, or None where they are no place.
PINS: list[tuple[str, dict[str, Pin | None]]] = [
    ("GLADSTONE, New Jersey, May 5 (Wire) - Riders from nine nations met in Gladstone, New Jersey, on Monday.", {"Gladstone": ("US", 0.0, 0.0)}),
    ("ROSCOE, South Dakota, May 5 (Wire) - A storm hit Roscoe on Monday and tore roofs off barns.", {"Roscoe": ("US", 0.0, 0.0)}),
    ("BATON ROUGE, La., May 5 (Wire) - The river rose in Baton Rouge, La., on Monday.", {"Baton Rouge": ("US", 30.4, -91.1)}),
    ("LOS ANGELES, May 5 (Wire) - The Rams filled SoFi Stadium on Sunday, and fans sang on Sunset Street.", {"SoFi": None, "Street": None, "RAM": None}),
    ("OTTAWA, May 5 (Wire) - The Hon. Ruth Bellweather met Duncan Hunter and a Mr. Stein on Monday.", {"Hon": None, "Hunter": None, "Stein": None}),
    ("WASHINGTON, May 5 (Wire) - The White House said on Monday that Obama would meet Ursula von der Leyen.", {"Washington": ("US", 38.9, -77.0), "Obama": None, "von der Leyen": None}),
    ("OLYMPIA, Wash., May 5 (Wire) - Washington state will ban the nets, Governor Ana Ruiz said in Olympia. Other states may follow Washington.", {"Olympia": ("US", 47.0, -122.9)}),
    ("MOUNT VERNON, Va. - George Washington slept here, a guide said in Virginia.", {"George Washington": None, "Virginia": ("US", 37.5, -78.5)}),
    ("TBILISI, May 5 (Wire) - Georgia will hold a vote in June, President Nino Beridze said. Georgia borders Turkey.", {"Georgia": ("GE", 41.7, 44.8)}),
    ("ATLANTA, May 5 (Wire) - Georgia voters go to the polls on Tuesday, and Savannah expects a long night.", {"Georgia": ("US", 32.6, -83.4), "Savannah": ("US", 32.1, -81.1)}),
    ("AMMAN, May 5 (Wire) - Jordan closed its border on Monday. Jordan has taken in many.", {"Jordan": ("JO", 31.9, 35.9)}),
    ("CHICAGO, May 5 (Wire) - Michael Jordan said on Monday he would sell. Jordan, 61, owns a team.", {"Jordan": None}),
    ("PARIS, Texas, May 5 (Wire) - A fire burned a barn near Paris on Monday, the sheriff of Lamar County said.", {"Paris": ("US", 33.7, -95.6)}),
    ("PARIS, May 5 (Wire) - Paris Hilton opened a shop in Paris on Monday.", {"Paris Hilton": None, "Paris": ("FR", 48.9, 2.3)}),
    ("LONDON, Ontario, May 5 (Wire) - Police in London said on Monday they had found the car.", {"London": ("CA", 42.98, -81.2)}),
    ("LONDON, May 5 (Wire) - The bank's office in Cambridge will close, it said on Monday. Oxford keeps its own.", {"Cambridge": ("GB", 52.2, 0.1), "Oxford": ("GB", 51.75, -1.26)}),
    ("BOSTON, May 5 (Wire) - Students in Cambridge, Massachusetts, marched on Monday.", {"Cambridge": ("US", 42.4, -71.1)}),
    ("BIRMINGHAM, Ala., May 5 (Wire) - The plant in Birmingham will close, and Mobile gets a new one.", {"Birmingham": ("US", 33.5, -86.8)}),
    ("PERTH, Australia, May 5 (Wire) - A shark bit a man off Perth on Monday.", {"Perth": ("AU", -31.95, 115.86)}),
    ("EDINBURGH, May 5 (Wire) - Snow closed roads around Perth in Scotland on Monday.", {"Perth": ("GB", 56.4, -3.4), "Scotland": ("GB", 56.0, -4.0)}),
    ("SAN JOSE, Calif., May 5 (Wire) - San Jose will build homes, the mayor said.", {"San Jose": ("US", 37.3, -121.9)}),
    ("SAN JOSE, Costa Rica, May 5 (Wire) - San Jose closed its schools on Monday.", {"San Jose": ("CR", 9.9, -84.1)}),
    ("KYIV, May 5 (Wire) - Shells hit Donetsk and Sevastopol in Crimea on Monday, Ukraine said.", {"Donetsk": ("UA", 48.0, 37.8), "Sevastopol": ("UA", 44.6, 33.5)}),
    ("JERUSALEM, May 5 (Wire) - Troops left Jenin in the West Bank on Monday.", {"Jenin": ("PS", 32.46, 35.3)}),
    ("BELEM, Brazil, May 5 (Wire) - The state of Para will host the talks in Belem.", {"Belem": ("BR", -1.45, -48.5), "Para": ("BR", -1.5, -48.5)}),
    ("HALIFAX, Nova Scotia, May 5 (Wire) - A ferry to Prince Edward Island stopped on Monday off Halifax.", {"Halifax": ("CA", 44.65, -63.6)}),
    ("HALIFAX, England, May 5 (Wire) - A mill burned in Halifax on Monday.", {"Halifax": ("GB", 53.7, -1.86)}),
    ("SPRINGFIELD, Ill., May 5 (Wire) - Lawmakers in Springfield voted on Monday.", {"Springfield": ("US", 39.8, -89.6)}),
    ("SPRINGFIELD, Mo., May 5 (Wire) - Rain fell on Springfield on Monday.", {"Springfield": ("US", 37.2, -93.3)}),
    ("PORTLAND, Maine, May 5 (Wire) - Lobster boats stayed in Portland on Monday.", {"Portland": ("US", 43.66, -70.25)}),
    ("PORTLAND, May 5 (Wire) - Oregon's largest city, Portland, swore in a mayor on Monday.", {"Portland": ("US", 45.5, -122.7)}),
    ("ALEXANDRIA, Va., May 5 (Wire) - A court in Alexandria freed him on Monday.", {"Alexandria": ("US", 38.8, -77.05)}),
    ("CAIRO, May 5 (Wire) - A ship sank off Alexandria on Monday.", {"Alexandria": ("EG", 31.2, 29.9)}),
    ("HYDERABAD, Pakistan, May 5 (Wire) - A fire in Hyderabad killed two on Monday.", {"Hyderabad": ("PK", 25.4, 68.37)}),
    ("NEW DELHI, May 5 (Wire) - A bridge in Hyderabad opened on Monday.", {"Hyderabad": ("IN", 17.4, 78.5)}),
    ("TRIPOLI, Lebanon, May 5 (Wire) - Clashes in Tripoli went on for a second day.", {"Tripoli": ("LB", 34.4, 35.8)}),
    ("TRIPOLI, May 5 (Wire) - Libya's oil port reopened, officials in Tripoli said.", {"Tripoli": ("LY", 32.9, 13.2)}),
    ("CORDOBA, Argentina, May 5 (Wire) - Workers in Cordoba went on strike.", {"Cordoba": ("AR", -31.4, -64.2)}),
    ("MADRID, May 5 (Wire) - A train from Cordoba derailed on Monday; Spain mourned.", {"Cordoba": ("ES", 37.9, -4.8)}),
    ("VALENCIA, Venezuela, May 5 (Wire) - Power failed in Valencia on Monday.", {"Valencia": ("VE", 10.2, -68.0)}),
    ("SANTIAGO, May 5 (Wire) - Chile's president left Santiago for Concepcion.", {"Santiago": ("CL", -33.4, -70.6), "Concepcion": ("CL", -36.8, -73.0)}),
    ("KINGSTON, Jamaica, May 5 (Wire) - A storm passed Kingston on Monday.", {"Kingston": ("JM", 18.0, -76.8)}),
    ("GEORGETOWN, Guyana, May 5 (Wire) - Oil paid for a road in Georgetown.", {"Georgetown": ("GY", 6.8, -58.2)}),
    ("RICHMOND, Va., May 5 (Wire) - Statues fell in Richmond. Ferguson, Missouri, had seen the same.", {"Richmond": ("US", 37.5, -77.4), "Ferguson": ("US", 38.7, -90.3)}),
    ("MANCHESTER, N.H., May 5 (Wire) - Voters in Manchester chose early.", {"Manchester": ("US", 42.99, -71.46)}),
    ("MANCHESTER, May 5 (Wire) - United beat City in Manchester on Sunday, and Liverpool lost.", {"Manchester": ("GB", 53.5, -2.2)}),
    ("SYDNEY, May 5 (Wire) - Fires burned near Newcastle in New South Wales on Monday.", {"Newcastle": ("AU", -32.9, 151.8), "New South Wales": ("AU", -33.0, 149.5)}),
    ("LONDON, May 5 (Wire) - A crane fell in Newcastle on Monday, England's fire service said.", {"Newcastle": ("GB", 54.97, -1.6)}),
    ("BOGOTA, May 5 (Wire) - Colombia will pave the road to Cartagena.", {"Cartagena": ("CO", 10.4, -75.5)}),
    ("COLUMBIA, S.C., May 5 (Wire) - A judge in Columbia ruled on Monday.", {"Columbia": ("US", 34.0, -81.0)}),
    ("ATHENS, Ga., May 5 (Wire) - Students in Athens voted on Monday.", {"Athens": ("US", 33.96, -83.4)}),
    ("ATHENS, May 5 (Wire) - Greece closed the port of Piraeus near Athens.", {"Athens": ("GR", 37.98, 23.7)}),
    ("NAPLES, Fla., May 5 (Wire) - The pier in Naples fell into the sea.", {"Naples": ("US", 26.1, -81.8)}),
    ("ROME, May 5 (Wire) - The earth shook near Naples on Monday.", {"Naples": ("IT", 40.85, 14.27)}),
    ("VENICE, Calif., May 5 (Wire) - Skaters filled Venice on Monday.", {"Venice": ("US", 33.99, -118.46)}),
    ("TOKYO, May 5 (Wire) - Kyoto and Sakai will host the games, Japan said.", {"Kyoto": ("JP", 35.0, 135.8), "Sakai": ("JP", 34.57, 135.5)}),
    ("NAIROBI, May 5 (Wire) - Kenya will send troops to Kismayo in Somalia.", {"Kismayo": ("SO", -0.36, 42.5)}),
    ("HAVANA, May 5 (Wire) - The United States let Cuba buy wheat, and Mexico sold maize.", {"United States": ("US", 38.9, -77.0), "Cuba": ("CU", 23.1, -82.4), "Mexico": ("MX", 19.4, -99.1)}),
    ("GENEVA, May 5 (Wire) - Sunshine brought crowds to Lake Geneva on Sunday, and Hope Island stayed dry.", {"Sunshine": None, "Island": None}),
    ("SALEM, Ore., May 5 (Wire) - A law passed in Salem on Monday.", {"Salem": ("US", 44.9, -123.0)}),
    ("CHENNAI, May 5 (Wire) - Buses from Salem and Madurai stood still in India's south.", {"Salem": ("IN", 11.65, 78.16), "Madurai": ("IN", 9.9, 78.1)}),
    ("MONTREAL, May 5 (Wire) - The Canadiens play Vancouver and Victoria; Sherbrooke, Quebec, watched.", {"Sherbrooke": ("CA", 45.4, -71.9)}),
    ("VICTORIA, Seychelles, May 5 (Wire) - A ship reached Victoria on Monday.", {"Victoria": ("SC", -4.6, 55.45)}),
    ("LIMA, Ohio, May 5 (Wire) - A tank plant in Lima will hire 200.", {"Lima": ("US", 40.7, -84.1)}),
    ("MOSCOW, Idaho, May 5 (Wire) - Police in Moscow thanked the town.", {"Moscow": ("US", 46.7, -117.0)}),
]  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(tagger: Tagger) -> dict[tuple[str, str], str]:
    """Right, missed or wrong, by text and name."""
    events = tag_copy(tagger, ((text, "en") for text, _ in PINS))
    return {
        (text, name): outcome(event, name, pin)
        for (text, pins), event in zip(PINS, events, strict=True)
        for name, pin in pins.items()
    }


def outcome(event: Event, name: str, pin: Pin | None) -> str:
    places = [
        entity.place
        for entity in event.entities or ()
        if entity.label == "LOC"
        and name.casefold() in {each.casefold() for each in (entity.name, *entity.aliases)}
    ]
    if pin is None:
        return "wrong" if any(places) else "right"
    if not any(places):
        return "missed"
    country, *where = pin
    for place in filter(None, places):
        if place.country != country:
            return "wrong"
        if place.latitude is None or place.longitude is None:
            return "right" if tuple(where) == UNKNOWN_TOWN else "missed"
        if hypot(place.latitude - where[0], place.longitude - where[1]) > DEGREES_OFF:
            return "wrong"
    return "right"


def test_no_place_is_told_where_it_is_not(outcomes: dict[tuple[str, str], str]) -> None:
    assert [key for key, told in outcomes.items() if told == "wrong"] == []


def test_nearly_every_place_is_told(outcomes: dict[tuple[str, str], str]) -> None:
    missed = [key for key, told in outcomes.items() if told == "missed"]
    assert len(missed) <= 0.04 * len(outcomes), missed
