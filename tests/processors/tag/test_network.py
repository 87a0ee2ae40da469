"""The training code's gradients are those of its loss, and the shipped network is the encoder that it trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from processors.tag import network
from processors.tag.features import STORY_FEATURES, WORD_FEATURES, FloatArray, of_story, of_word
from processors.tag.network import ATTRIBUTES, CONVOLUTION_COUNT, TAGS, Network, decode_spans
from tests.benchmarks.ner.chain import loss, transitions
from tests.benchmarks.ner.corpus import UNKNOWN
from tests.benchmarks.ner.encoder import Batch, Encoder, Weights, hashed
from tests.benchmarks.train_ner import keys_of

WEIGHTS = Path(__file__).parents[3] / "processors" / "tag" / "model" / "weights.npz"
WORDS = ["The", "mayor", "of", "Kesten", ",", "Rosa", "Lund", ",", "met", "Galewright", "."]
STEP = 1e-2


@pytest.fixture(scope="module")
def weights() -> Weights:
    with np.load(WEIGHTS) as archive:
        return {name: archive[name].astype(np.float32) for name in archive.files if name != "seeds"}


@pytest.fixture(scope="module")
def seeds() -> list[int]:
    with np.load(WEIGHTS) as archive:
        return [int(seed) for seed in archive["seeds"]]


@pytest.fixture(scope="module")
def batch(weights: Weights, seeds: list[int]) -> Batch:
    """Two documents; one word's tag is not known."""
    rows = hashed(keys_of(WORDS)[:, 1:], seeds, weights)
    length, count = len(WORDS), 2 * (len(WORDS) + CONVOLUTION_COUNT)
    made = Batch(
        np.zeros((count, len(ATTRIBUTES), 4), np.int64),
        np.zeros((count, WORD_FEATURES), np.float32),
        np.zeros((count, STORY_FEATURES), np.float32),
        np.zeros(count, np.int64),
        np.ones(count, bool),
        [0, length + CONVOLUTION_COUNT],
        [length, length],
    )
    for start in made.offsets:
        here = slice(start, start + length)
        made.rows[here], made.known[here] = rows, np.stack([of_word(word) for word in WORDS])
        made.story[here], made.empty[here] = of_story(WORDS), False
        made.tags[start + 5], made.tags[start + 6] = TAGS.index("B-PER"), TAGS.index("L-PER")
    made.tags[3] = UNKNOWN
    return made


@pytest.mark.parametrize("name", ["U", "c", "W0", "b2", "G1", "H4", "W3", "D", "E0", "tr"])
def test_a_gradient_is_the_slope_of_the_loss(weights: Weights, batch: Batch, name: str) -> None:
    own = {each: value.copy() for each, value in weights.items()} | transitions()
    encoder = Encoder(own)
    scores = encoder.forward(batch, 0.0, np.random.default_rng(1))
    _, gradient, moves = loss(scores, batch, own)
    slope = (encoder.backward(gradient, batch) | moves)[name]
    place = np.unravel_index(np.abs(np.where(own[name] > -1e3, slope, 0)).argmax(), slope.shape)
    own[name][place] += STEP
    above = loss(encoder.forward(batch), batch, own)[0]
    own[name][place] -= 2 * STEP
    below = loss(encoder.forward(batch), batch, own)[0]
    assert (above - below) / (2 * STEP) == pytest.approx(slope[place], rel=0.08, abs=2e-4)


def test_the_shipped_network_scores_as_the_encoder_that_trained_it(weights: Weights, batch: Batch) -> None:
    scores = Encoder(weights).forward(batch)[: len(WORDS)]
    best = Network.load(WEIGHTS).tags([keys_of(WORDS)], [WORDS], [of_story(WORDS)])[0]
    kept = sum(int(scores[place].argmax()) == tag for place, tag in enumerate(best))
    assert kept >= len(WORDS) - 1  # the chain may overrule one word


def test_tags_always_make_whole_names() -> None:
    words = [word for word in WORDS * 40 if word != ","]
    tags = Network.load(WEIGHTS).tags([keys_of(words)], [words], [of_story(words)])[0]
    inside = {place for first, end, _ in decode_spans(tags) for place in range(first, end)}
    assert inside == {place for place, tag in enumerate(tags) if tag}


def test_documents_side_by_side_do_not_see_each_other() -> None:
    network = Network.load(WEIGHTS)
    texts = [WORDS, ["Oslo"], WORDS[5:]]
    keys, story = [keys_of(text) for text in texts], [of_story(text) for text in texts]
    alone = [
        network.tags([key], [text], [each])[0] for key, text, each in zip(keys, texts, story, strict=True)
    ]
    assert network.tags(keys, texts, story) == alone


def test_a_long_text_is_worked_on_in_blocks_that_see_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies between two layers takes ten times the memory of the words: 60 MB for a text of 100 kB."""
    words = WORDS * (10_000 // len(WORDS))
    arguments = [keys_of(words)], [words], [of_story(words)]
    rows: list[int] = []
    unit = Network._unit

    def counted(self: Network, layer: int, values: FloatArray) -> FloatArray:
        rows.append(len(values))
        return unit(self, layer, values)

    monkeypatch.setattr(Network, "_unit", counted)
    in_blocks = Network.load(WEIGHTS).tags(*arguments)
    assert max(rows) <= network.BLOCK_WORDS + 2
    monkeypatch.setattr(network, "BLOCK_WORDS", len(words) + 8)
    assert Network.load(WEIGHTS).tags(*arguments) == in_blocks
