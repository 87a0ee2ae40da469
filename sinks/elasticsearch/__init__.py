"""Stories in Elasticsearch 8: the index of the distributed runtime.

`StoryBulk` writes, `ElasticStories` reads for the desk, `index` makes and checks what stands on the server. The client
library is imported only when one of them is used.
"""

from sinks.elasticsearch.reader import ElasticStories
from sinks.elasticsearch.writer import StoryBulk

__all__ = ["ElasticStories", "StoryBulk"]
