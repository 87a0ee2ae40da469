"""Bodies of feeds and documents: HTML made readable, then laid out beside a headline that came apart."""

from __future__ import annotations

import pytest

from processors.layout import lay_out
from processors.normalise.html import read_html


def parts(markup: str, language: str = "en", headline: str = "Ashmere") -> list[tuple[str, str]]:
    text = read_html(markup).text
    return [(part.kind, text[part.start : part.end]) for part in lay_out(text, language, headline)]


def test_figures_subheads_lists_and_tables_of_a_feed() -> None:
    assert parts(
        "<figure><img src='a.jpg'><figcaption>A street in Ashmere under the full moon. Photograph: Tamsin Okoro/The"
        " Ashmere Gazette</figcaption></figure><p>The town of Ashmere has switched off its streetlights on the five"
        " nights around the full moon.</p><h2>What residents think</h2><ul><li>Six in ten sleep better</li><li>Three"
        " in ten bought a torch</li></ul><p>The council will vote in March.</p><table><tr><th>Year</th><th>Cost</th>"
        "</tr><tr><td>2024</td><td>41,200</td></tr></table><p><em>Sign up to our newsletter</em></p>"
    ) == [
        ("caption", "A street in Ashmere under the full moon."),
        ("credit", "Photograph: Tamsin Okoro/The Ashmere Gazette"),
        (
            "paragraph",
            "The town of Ashmere has switched off its streetlights on the five nights around the full moon.",
        ),
        ("subhead", "What residents think"),
        ("list", "- Six in ten sleep better\n- Three in ten bought a torch"),
        ("paragraph", "The council will vote in March."),
        ("table", "Year\tCost\n2024\t41,200"),
        ("boilerplate", "Sign up to our newsletter"),
    ]


def test_an_agencys_marks_in_the_body_of_a_feed() -> None:
    assert parts(
        "<p><b>Lima, 21 nov (EFE).-</b> Los vecinos guardan en una cueva 300 variedades de papa.</p><figure>"
        "<figcaption>Teodoro Huamán muestra una papa en Lima (Perú). EFE/ Saúl Ticona</figcaption></figure>"
        "<h3>Banco de semillas</h3><p>«La papa duerme», dijo Huamán.</p><p>Leer más: <a>Cusco estrena tren</a></p>"
        "<p>EFE</p><p>goc/mmr</p>",
        "es",
    ) == [
        ("dateline", "Lima, 21 nov (EFE).-"),
        ("paragraph", "Los vecinos guardan en una cueva 300 variedades de papa."),
        ("caption", "Teodoro Huamán muestra una papa en Lima (Perú)."),
        ("credit", "EFE/ Saúl Ticona"),
        ("subhead", "Banco de semillas"),
        ("paragraph", "«La papa duerme», dijo Huamán."),
        ("boilerplate", "Leer más: Cusco estrena tren"),
        ("signoff", "EFE"),
        ("initials", "goc/mmr"),
    ]


def test_a_subhead_in_quotation_marks_and_a_source() -> None:
    assert [
        kind
        for kind, _ in parts(
            "<p>Un ferry tombé en panne au large de Marseille a été remorqué samedi jusqu'au port.</p>"
            "<h2>« Restez assis »</h2><p>Personne n'a été blessé.</p><p>(Avec AFP)</p>",
            "fr",
        )
    ] == ["paragraph", "subhead", "paragraph", "signoff"]


@pytest.mark.parametrize(
    ("markup", "kinds"),
    [
        ("<p>Storm hits the coast</p>", ["paragraph"]),
        ("<p>By Ana Ruiz</p>", ["byline"]),
        (
            "<p>Results on Saturday:</p><pre>Ashmere    3   Wick   1\nNorley     0   Ely    2</pre>",
            ["subhead", "table"],
        ),
        ("<p>© 2026 The Ashmere Gazette</p>", ["boilerplate"]),
        ("<p>Nella foto, il forno. ANSA/CIRO FUSCO</p>", ["caption", "credit"]),
    ],
)
def test_scant_bodies(markup: str, kinds: list[str]) -> None:
    assert [kind for kind, _ in parts(markup)] == kinds
