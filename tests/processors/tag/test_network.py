"""The training code's gradients are those of its loss, and the shipped networks are the encoders that it trains."""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from processors.tag import network
from processors.tag.features import KINDS, FloatArray, NetworkKind
from processors.tag.network import TAGS, Network, decode_spans
from processors.tag.recogniser import MODEL
from tests.benchmarks import train_ner
from tests.benchmarks.ner.chain import loss
from tests.benchmarks.ner.corpus import UNKNOWN, Name, Text, tagged
from tests.benchmarks.ner.encoder import Batch, Encoder, Floats
from tests.benchmarks.train_ner import Run

WORDS = ("The", "mayor", "of", "Kesten", ",", "Rosa", "Lund", ",", "met", "Galewright", ".")
CHARACTERS = tuple("雪村市長は東京都へ。")
STEP = 1e-2


def text(words: tuple[str, ...], source: str) -> Text:
    made = tagged(words, (Name(5, 7, "PER"),), source)
    made.tags[3] = UNKNOWN
    return made


@pytest.fixture(scope="module", params=KINDS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that has learnt nothing yet; what starts at zero is given something."""
    options = argparse.Namespace(
        seed=1,
        sets=["none"],
        dev=["none"],
        epochs=3,
        check=None,
        keep_sets=False,
        corpus=Path(),
        out=tmp_path_factory.mktemp("weights"),
    )
    made = Run(request.param, options)
    generator = np.random.default_rng(3)
    for name in ("D", "L", "M", "U"):
        value = made.weights[name]
        value[...] = generator.standard_normal(value.shape) * 0.1
    return made


@pytest.fixture(scope="module")
def batch(run: Run) -> Batch:
    """Two documents, one of a set without MISC; one word's tag is not known, and words are repeated."""
    if run.kind == "words":
        return run.batch([text(WORDS * 2, "wikigold"), text(WORDS, "pt_uner_bosque")])
    return run.batch([text(CHARACTERS * 2, "ja_gsd"), text(CHARACTERS, "zh_uner_gsd")])


@pytest.mark.parametrize("name", ["U", "c", "W0", "b2", "G1", "H4", "W3", "D", "L", "M", "E1", "tr"])
def test_a_gradient_is_the_slope_of_the_loss(run: Run, batch: Batch, name: str) -> None:
    if name == "M" and run.kind == "characters":
        pytest.skip("characters are shared by no story")
    own = {each: value.copy() for each, value in run.weights.items()}
    encoder, generator = Encoder(own, run.layout.steps), np.random.default_rng(1)
    _, gradient, moves = loss(encoder.forward(batch, 0.0, generator), batch, own)
    dense, tables = encoder.backward(gradient, batch)
    slope = (dense | moves).get(name)
    if slope is None:
        rows, sums = tables[name]
        slope = np.zeros_like(own[name])
        slope[rows] = sums
    place = np.unravel_index(np.abs(np.where(own[name] > -1e1, slope, 0)).argmax(), slope.shape)
    own[name][place] += STEP
    above = loss(encoder.forward(batch, 0.0, generator), batch, own)[0]
    own[name][place] -= 2 * STEP
    below = loss(encoder.forward(batch, 0.0, generator), batch, own)[0]
    assert (above - below) / (2 * STEP) == pytest.approx(slope[place], rel=0.08, abs=2e-4)


def test_the_same_seed_trains_the_same_bytes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_ner, "BATCH_WORDS", 30)
    words, source = (WORDS, "wikigold") if run.kind == "words" else (CHARACTERS, "ja_gsd")
    files = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        learner = Run(run.name, argparse.Namespace(**(vars(run.options) | {"out": tmp_path / name})))
        untrained = learner.weights["U"].copy()
        learner.texts = [text(words * times, source) for times in (1, 2, 3)]
        learner.train()
        assert not np.array_equal(learner.weights["U"], untrained)
        files.append(learner.path.read_bytes())

    assert files[0] == files[1]


def test_small_words_are_in_no_name_of_a_type_that_their_set_does_not_mark() -> None:
    words = ("In", "1998", ",", "sprak", "de", "Nobelprijs", "»", "NAVO")
    assert [word for word in words if train_ner._may_be_marked(word)] == ["In", "Nobelprijs", "NAVO"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_documents_side_by_side_do_not_see_each_other(language: str) -> None:
    kind: NetworkKind = "characters" if language == "zh" else "words"
    network = Network.load(MODEL / f"{kind}.npz")
    words = list(CHARACTERS if kind == "characters" else WORDS)
    texts = [words, words[:1], words[5:], words * 3]
    alone = [network.tags([each], [language])[0] for each in texts]
    assert network.tags(texts, [language] * len(texts)) == alone


@pytest.mark.parametrize(("language", "words"), [("en", WORDS), ("pt", WORDS), ("ja", CHARACTERS)])
def test_tags_always_make_whole_names(language: str, words: tuple[str, ...]) -> None:
    kind = "characters" if language == "ja" else "words"
    tags = Network.load(MODEL / f"{kind}.npz").tags(
        [[word for word in words * 40 if word != ","]], [language]
    )[0]
    inside = {place for first, end, _ in decode_spans(tags) for place in range(first, end)}
    assert inside == {place for place, tag in enumerate(tags) if tag}


def test_a_long_text_is_worked_on_in_blocks_that_see_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies between two layers takes ten times the memory of the words: 60 MB for a text of 100 kB."""
    words = list(WORDS * (10_000 // len(WORDS)))
    arguments = [words], ["en"]
    rows: list[int] = []
    unit = Network._unit

    def counted(self: Network, layer: int, values: FloatArray) -> FloatArray:
        rows.append(len(values))
        return unit(self, layer, values)

    monkeypatch.setattr(Network, "_unit", counted)
    in_blocks = Network.load(MODEL / "english.npz").tags(*arguments)
    assert max(rows[1:]) <= network.BLOCK_WORDS + 2 * sum(Network.load(MODEL / "english.npz")._steps)
    monkeypatch.setattr(network, "BLOCK_WORDS", len(words) + 8)
    assert Network.load(MODEL / "english.npz").tags(*arguments) == in_blocks


def test_the_written_network_scores_as_the_encoder_that_trained_it(run: Run) -> None:
    words = WORDS if run.kind == "words" else CHARACTERS
    language = "en" if run.kind == "words" else "zh"
    batch = run.batch([text(words, "wikigold" if run.kind == "words" else "zh_uner_gsd")])
    batch.sets[:] = np.where(batch.empty, batch.sets, np.int64(0 if language == "en" else 16))
    scores = Encoder(run.weights, run.layout.steps).forward(batch, 0.0, np.random.default_rng(1))
    run.write(run.weights)
    tags = Network.load(run.path).tags([list(words)], [language])[0]
    best = _likelihood(run, scores[batch.offsets[0] :], tags)
    generator = np.random.default_rng(2)
    for _ in range(200):  # no other path of tags scores more
        other = [*tags]
        other[int(generator.integers(len(tags)))] = int(generator.integers(len(TAGS)))
        assert _likelihood(run, scores[batch.offsets[0] :], other) <= best + 0.05


def _likelihood(run: Run, scores: Floats, tags: list[int]) -> float:
    weights = run.weights
    moves = sum(float(weights["tr"][one, other]) for one, other in pairwise(tags))
    ends = float(weights["st"][tags[0]] + weights["en"][tags[-1]])
    return moves + ends + sum(float(scores[place, tag]) for place, tag in enumerate(tags))
