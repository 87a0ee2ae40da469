"""Every error that wiredesk raises on purpose, drawn once.

::

    WiredeskError
    ├── Rejected            what the sender did wrong: to the dead letters, never retried
    │   ├── Unreadable          a path that is no file, or one that the system does not let us read
    │   ├── Empty               no bytes, or nothing but white space
    │   ├── NotText             bytes that are no text in any encoding
    │   ├── TooLarge            over the size that the settings allow
    │   ├── Malformed           of a known format, but nothing in it could be read
    │   ├── UnknownFormat       well formed, but of no vocabulary that we know
    │   ├── NotAFeed            an HTML page where a feed was told; names the feeds it advertises
    │   ├── Unsupported         a known kind that is no story (concept, knowledge, planning, event)
    │   ├── MissingIdentity     an item without the identifier that its format demands
    │   ├── MissingContent      an item with neither title nor text
    │   ├── Unindexable         an event that the search index refuses: too large, or against its mapping
    │   ├── Unwritable          a message that Kafka refuses for good: its time, its key, a rule of its topic
    │   └── Undeliverable       an event that a webhook's target did not take, to the last try
    ├── Transient           what the world did wrong: back off in place and try again
    │   ├── Unreachable         a server that does not answer
    │   ├── PartAway            a part of the outside, such as the index of a month: what belongs to it waits alone
    │   └── OutOfMemory         less memory than any item may need: the limit of the process is too low
    └── Bug                 what we did wrong, set aside after it crashed a step three times
    Misconfigured           what the operator did wrong: one clear line, exit status 2 (`config`)

Any other exception that leaves a step is a bug as well: the step crashes, its offset stays uncommitted.
The class name is what dead letters and ``--errors`` carry as ``error.type``; the message says what to do next.
"""


class WiredeskError(Exception):
    """Base of every error raised on purpose."""

    @property
    def type(self) -> str:
        """The name that dead letters, logs and ``--errors`` carry."""
        return type(self).__name__


class Rejected(WiredeskError):
    """What the sender did wrong. The item goes to the dead letters with its bytes and is not retried."""


class Unreadable(Rejected):
    """A path that is no file, or one that the system does not let us read."""


class Empty(Rejected):
    """No bytes, or nothing but white space."""


class NotText(Rejected):
    """Bytes that are no text in any encoding."""


class TooLarge(Rejected):
    """Over the size that the settings allow."""


class Malformed(Rejected):
    """Of a known format, but nothing in it could be read."""


class UnknownFormat(Rejected):
    """Well formed, but of no vocabulary that wiredesk knows."""


class NotAFeed(Rejected):
    """An HTML page where a feed was told."""


class Unsupported(Rejected):
    """A known kind of item that is no story."""


class MissingIdentity(Rejected):
    """An item without the identifier that its format demands."""


class MissingContent(Rejected):
    """An item with neither title nor text."""


class Unindexable(Rejected):
    """An event that the search index refuses: too large, or against its mapping."""


class Unwritable(Rejected):
    """A message that Kafka refuses for good: its time, its key, a rule of its topic."""


class Undeliverable(Rejected):
    """An event that a webhook's target did not take, to the last try."""


class Transient(WiredeskError):
    """What the world did wrong. The caller backs off in place; nothing is skipped."""


class Unreachable(Transient):
    """A server that does not answer."""


class PartAway(Transient):
    """A part of the outside takes nothing: what belongs to it waits alone, and all else goes on. `part` is its name."""

    def __init__(self, part: str, reason: str) -> None:
        """`reason` says what to do next."""
        super().__init__(f"{part}: {reason}")
        self.part = part


class OutOfMemory(Transient):
    """Less memory than any item may need: the limit of the process is too low."""


class Bug(WiredeskError):
    """A step crashed three times on one item, which is set aside so that its partition can go on."""
