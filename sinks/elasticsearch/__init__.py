"""Stories in Elasticsearch 8: the index of the distributed runtime, which must be there (`wiredesk index create`).

`ElasticsearchSink` writes, `ElasticStories` reads for the desk, `index` makes and checks what stands on the server. The client
library is imported only when one of them is used.
"""

from __future__ import annotations

from config.settings import Settings
from sinks.elasticsearch.reader import ElasticStories
from sinks.elasticsearch.writer import ElasticsearchSink

__all__ = ["ElasticStories", "ElasticsearchSink", "load_sink"]


def load_sink(settings: Settings) -> ElasticsearchSink:
    """The sink of the server that ``[elasticsearch]`` names."""
    return ElasticsearchSink(settings.elasticsearch)
