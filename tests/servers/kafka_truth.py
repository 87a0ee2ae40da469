"""What one undisturbed worker makes of a log, beside what the fleet made of it.

Each step is run once over what is committed on the topics that it reads, partition by partition, in the order of the
log: that is what one worker to which nothing ever happens does. Its messages are compared, key and value, with those
that are committed on the topics that the step writes, state included. Lost, twice and wrong are then one count each, and
lineage, which hangs on the order of a partition, is compared with the rest of the event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from config.settings import Kafka, Settings
from streams.kafka.cluster import Cluster
from streams.kafka.inbox import as_record
from streams.messages import Message, Record
from streams.settlement import Outcome
from streams.topology import STEPS, Step
from tests.servers.fleet import Read

Load = Callable[[Step, Settings], Callable[[Sequence[Record]], list[Outcome]]]
Written = tuple[str, bytes, bytes]  # topic, key, value


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a step's outputs; `aborted` rows are on its topics and seen by no reader at `read_committed`."""

    step: str
    committed: int
    lost: int
    twice: int
    wrong: int
    aborted: int

    @property
    def is_perfect(self) -> bool:
        """Every output is there, once."""
        return not (self.lost or self.twice or self.wrong)

    def __str__(self) -> str:
        return (
            f"{self.step:12}{self.committed:8} committed {self.lost:5} lost {self.twice:5} twice "
            f"{self.wrong:5} wrong {self.aborted:7} aborted rows"
        )


async def judged(kafka: Kafka, load: Load, steps: Sequence[Step] = STEPS) -> list[Verdict]:
    """A verdict on every step of the pipeline, or on some, whose `load` is that of the fleet."""
    settings = Settings(kafka=kafka)
    return [await _judged(step, kafka, load, settings) for step in steps]


async def _judged(step: Step, kafka: Kafka, load: Load, settings: Settings) -> Verdict:
    cluster = Cluster(kafka)
    targets = [topic.name for topic in (*step.writes, *(topic.dead_letters for topic in step.reads))]
    targets += [step.state.name] if step.state else []
    wanted: Counter[Written] = Counter()
    for topic in step.reads:
        records = [as_record(record, cluster.topology_name) for record in await whole(kafka, topic.name)]
        wanted += Counter(_outputs(step, records, load, settings))
    committed = await whole(kafka, *targets)
    everything = await whole(kafka, *targets, committed=False)
    written = Counter(
        (cluster.topology_name(record.topic), record.key or b"", record.value or b"") for record in committed
    )
    extra = written - wanted
    twice = sum(number for output, number in extra.items() if output in wanted)
    return Verdict(
        step.name, len(committed), (wanted - written).total(), twice, extra.total() - twice,
        len(everything) - len(committed),
    )  # fmt: skip


async def whole(kafka: Kafka, *names: str, committed: bool = True) -> list[Read]:
    """All records of topics, to their ends of this moment."""
    cluster = Cluster(kafka)
    level = "read_committed" if committed else "read_uncommitted"
    everything: list[Read] = []
    async with cluster.consumer(isolation_level=level, auto_offset_reset="earliest") as consumer:
        places = [TopicPartition(cluster.topic(name), n) for name in names for n in range(kafka.partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        for place in places:
            while await consumer.position(place) < ends[place]:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    everything += records
    return everything


def _outputs(step: Step, records: list[Record], load: Load, settings: Settings) -> Iterable[Written]:
    """What the step makes of a topic, with a memory of its own for each partition."""
    for partition in sorted({record.partition for record in records}):
        work = load(step, settings)
        own = sorted((record for record in records if record.partition == partition), key=_offset)
        for outcome in work(own):
            assert not isinstance(outcome, Exception), outcome
            yield from map(_written, outcome)


def _written(message: Message) -> Written:
    return message.topic, message.key, message.value


def _offset(record: Record) -> int:
    return record.offset
