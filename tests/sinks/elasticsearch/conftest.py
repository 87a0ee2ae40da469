"""An index of a test's own on the session's Elasticsearch."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
from elasticsearch import AsyncElasticsearch

from config import settings
from processors.model.event import Event
from processors.times import to_milliseconds
from sinks.elasticsearch import ElasticsearchSink, ElasticStories, index
from sinks.elasticsearch.client import connect
from sinks.ports import WriteOutcome
from tests.servers.elasticsearch import ElasticsearchServer
from tests.sinks.events import at

_numbers = itertools.count(1)


@dataclass
class Stack:
    """Writer, reader and client of one index; the test sets the reader's clock."""

    settings: settings.Elasticsearch
    client: AsyncElasticsearch
    bulk: ElasticsearchSink
    stories: ElasticStories
    now: int

    async def put(self, *events: Event) -> Sequence[WriteOutcome]:
        """Write, and make it searchable."""
        written = await self.bulk.write(events)
        await self.client.indices.refresh(
            index=[self.settings.index, f"{self.settings.index}-versions"], ignore_unavailable=True
        )
        return written.outcomes


@pytest.fixture
async def stack(elasticsearch: ElasticsearchServer) -> AsyncIterator[Stack]:
    told = settings.Elasticsearch(url=elasticsearch.url, index=f"e{os.getpid()}-{next(_numbers)}")
    now = to_milliseconds(at(24 * 60))
    async with connect(told) as client:
        await index.create(client, told)
        made = Stack(
            told, client, ElasticsearchSink(told, client), ElasticStories(told, client, lambda: made.now), now
        )
        yield made
        names = await client.indices.get(index=f"{told.index}-*")
        await client.indices.delete(index=",".join(names))
