"""Mailboxes by IMAP (RFC 3501, RFC 9051), by the standard library's client on a thread. A mail is one raw item, attachments and all.

The cursor is the mailbox's UIDVALIDITY and the last UID that was looked at. Mails are fetched without being marked; what is
safe is then marked as seen, deleted or moved, by UID, and by nobody's position in the mailbox.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.policy import default as default_policy
from email.utils import parseaddr
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal, TypeVar

from msgspec import Meta, Struct

from processors.errors import TooLarge
from sinks.callers import is_loopback
from streams.sources.blocking import ClientThread
from streams.sources.ports import (
    IsKnown,
    SecretReader,
    SourceBatch,
    SourceFault,
    SourceItem,
    SourceKind,
    SourceLimits,
    tls_fault,
)

T = TypeVar("T")
# UIDs that one search covers. Fewer: a mailbox with holes takes many searches; more: the answer is a line over the client's
# limit of a megabyte.
UID_WINDOW: Final = 20_000
MAX_MAILS: Final = 200  # of one batch, of which sizes and senders are asked at once
GROUP_BYTES: Final = 2 * 1024 * 1024  # of mails that are fetched with one command
MAX_LITERAL_BYTES: Final = 64 * 1024 * 1024  # beyond what we ask for; a server that sends more is left
_ITEM: Final = re.compile(rb"UID (\d+)")
_SIZE: Final = re.compile(rb"RFC822\.SIZE (\d+)")
_DATE: Final = re.compile(rb'INTERNALDATE "([^"]+)"')


class ImapOptions(Struct, frozen=True, kw_only=True):
    """The keys of a mailbox. The secret ``password``."""

    host: str
    user: str
    port: Annotated[int, Meta(ge=1, le=65_535)] = 993
    tls: Literal["implicit", "starttls", "off"] = "implicit"
    ca_file: str = ""  # certificates that are believed in place of the system's
    folder: str = "INBOX"
    # Whose mails are taken, by patterns of addresses; others stay as they are. Anybody can write any sender into a mail.
    senders: tuple[str, ...] = ("*",)
    start: Literal["new", "all"] = "new"  # at the first look: what comes from now on, or all that is there
    after: Literal["seen", "delete", "move", "keep"] = "seen"
    done: str = "Archive"  # where mails are moved


@dataclass(frozen=True, slots=True)
class MailNote:
    """What is known of a mail before it is fetched."""

    uid: int
    size: int
    key: str
    sender: str


class BoundedImap(imaplib.IMAP4):
    """A client that reads no more than it has asked for."""

    max_literal = MAX_LITERAL_BYTES

    def read(self, size: int) -> bytes:
        """Read a literal.

        Raises:
            imaplib.IMAP4.abort: it is longer than anything we ask for.
        """
        if size > self.max_literal:
            raise self.abort("the server sends more than it was asked for")
        return super().read(size)


class BoundedImapTls(imaplib.IMAP4_SSL, BoundedImap):
    """The same inside TLS."""


class ImapSource:
    """A mailbox (`streams.sources.ports.Source`)."""

    def __init__(self, options: ImapOptions, secrets: SecretReader, limits: SourceLimits) -> None:
        """Nothing is connected yet."""
        self._options, self._secrets, self._limits = options, secrets, limits
        self._thread = ClientThread("imap")
        self._client: imaplib.IMAP4 | None = None
        self._validity = 0

    async def open(self) -> None:
        """Connect, log in, and look whether the server can do what is due."""
        password = self._secrets.read("password")
        await self._try(lambda: self._connect(password))

    def _connect(self, password: str) -> None:
        options, limits = self._options, self._limits
        context = ssl.create_default_context(cafile=options.ca_file or None)
        if options.tls == "implicit":
            client: imaplib.IMAP4 = BoundedImapTls(
                options.host, options.port, ssl_context=context, timeout=limits.read_timeout_s
            )
        else:
            client = BoundedImap(options.host, options.port, timeout=limits.read_timeout_s)
        self._client = client
        if options.tls == "starttls":
            client.starttls(context)
        try:
            client.login(options.user, password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise SourceFault("credentials", f"the server refuses the login of {options.user!r}") from error
        if options.after == "move" and "MOVE" not in client.capabilities:
            raise SourceFault(
                "bad_response", 'the server can\'t move mails (RFC 6851); say after = "seen" or "delete"'
            )

    async def close(self) -> None:
        """Drop the connection; a call that hangs ends with it."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError):
                client.shutdown()

    async def items(self, cursor: str, is_known: IsKnown) -> SourceBatch:
        """The mails behind the cursor."""
        return await self._try(lambda: self._look(cursor, is_known))

    async def commit(self, receipts: Sequence[str]) -> None:
        """Mark, delete or move the mails of receipts, which name UIDs of one validity."""
        if self._options.after != "keep":
            await self._try(lambda: self._acknowledge(receipts))

    def _look(self, cursor: str, is_known: IsKnown) -> SourceBatch:
        validity, following = self._select()
        before, last = _read_cursor(cursor)
        is_other = bool(before) and before != validity
        if not before and self._options.start == "new":
            return SourceBatch((), f"{validity}:{following - 1}")
        last = 0 if is_other else last
        uids, looked = self._next_uids(last, following)
        notes = self._read_notes(uids)
        wanted = [note for note in notes if self._is_wanted(note)]
        items, taken = self._fetch([note for note in wanted if not is_known(note.key)])
        safe = [note.uid for note in wanted if is_known(note.key)] + taken
        is_whole = len(items) == sum(not is_known(note.key) for note in wanted)
        end = looked if is_whole else max(taken, default=last)
        message = "the mailbox was made anew (UIDVALIDITY); its mails are looked at again" if is_other else ""
        receipts = [f"{validity}:{uid}" for uid in safe]
        return SourceBatch(items, f"{validity}:{end}", receipts, more=end < following - 1, message=message)

    def _select(self) -> tuple[int, int]:
        """Select the mailbox: its UIDVALIDITY, and the UID that the next mail will have."""
        client = self._open_client()
        is_read_only = self._options.after == "keep"
        self._check(client.select(f'"{_quote(self._options.folder)}"', readonly=is_read_only))
        validity = _first_number(client.response("UIDVALIDITY")[1])
        following = _first_number(client.response("UIDNEXT")[1])
        if not validity:
            raise SourceFault("bad_response", "the server has no UIDs (UIDVALIDITY)")
        if not following:
            found = self._check(client.uid("SEARCH", "UID", "*"))
            following = max((int(uid) for uid in b" ".join(found).split()), default=0) + 1
        self._validity = validity
        return validity, following

    def _next_uids(self, last: int, following: int) -> tuple[list[int], int]:
        """The next UIDs behind one, and how far was looked."""
        client = self._open_client()
        while last < following - 1:
            end = min(last + UID_WINDOW, following - 1)
            found = self._check(client.uid("SEARCH", f"UID {last + 1}:{end}"))
            uids = sorted(uid for uid in map(int, b" ".join(found).split()) if last < uid <= end)
            most = min(MAX_MAILS, self._limits.max_items)
            if len(uids) > most:
                return uids[:most], uids[most - 1]
            if uids:
                return uids, end
            last = end
        return [], max(last, following - 1)

    def _read_notes(self, uids: Sequence[int]) -> list[MailNote]:
        """Size, key and sender of mails, in the order of their UIDs."""
        if not uids:
            return []
        wanted = "(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID FROM)])"
        answers = self._check(self._open_client().uid("FETCH", _as_set(uids), wanted))
        notes = {}
        for head, body in _pairs(answers):
            uid, size, date = _ITEM.search(head), _SIZE.search(head), _DATE.search(head)
            if uid is None or size is None:
                continue
            fields = BytesHeaderParser(policy=default_policy).parsebytes(body[:100_000])
            name = str(fields.get("Message-ID", "")).strip() or f"{self._validity}:{int(uid[1])}"
            moment = date[1].decode("latin-1") if date else ""
            sender = parseaddr(str(fields.get("From", "")))[1].lower()
            notes[int(uid[1])] = MailNote(
                int(uid[1]), int(size[1]), f"{name}\n{size[1].decode()}\n{moment}", sender
            )
        return [notes[uid] for uid in uids if uid in notes]

    def _is_wanted(self, note: MailNote) -> bool:
        return any(fnmatchcase(note.sender, pattern.lower()) for pattern in self._options.senders)

    def _fetch(self, notes: Sequence[MailNote]) -> tuple[list[SourceItem], list[int]]:
        """The mails as items, and their UIDs. What is too large is not fetched."""
        items: list[SourceItem] = []
        taken: list[int] = []
        group: list[MailNote] = []
        room = GROUP_BYTES * 8
        for place, note in enumerate(notes):
            shown = f"{self._options.folder}/{note.uid}"
            if note.size > self._limits.max_item_bytes:
                fault = TooLarge(
                    f"a mail of {note.size} bytes, over the {self._limits.max_item_bytes} of poll.max_body_bytes"
                )
                items.append(SourceItem(note.key, b"", shown, "message/rfc822", fault=fault))
                taken.append(note.uid)
            else:
                group.append(note)
            is_last = place == len(notes) - 1
            if group and (is_last or sum(mail.size for mail in group) > GROUP_BYTES):
                found = self._fetch_group(group)
                room -= sum(len(item.payload) for item in found.values())
                items += found.values()
                taken += found
                group = []
                if room < 0:
                    break
        return items, taken

    def _fetch_group(self, notes: Sequence[MailNote]) -> dict[int, SourceItem]:
        limit = self._limits.max_item_bytes
        wanted = f"(UID BODY.PEEK[]<0.{limit + 1}>)"
        answers = self._check(self._open_client().uid("FETCH", _as_set([note.uid for note in notes]), wanted))
        bodies = {int(uid[1]): body for head, body in _pairs(answers) if (uid := _ITEM.search(head))}
        found = {}
        for note in notes:
            if note.uid not in bodies:
                continue  # gone meanwhile
            body, shown = bodies[note.uid], f"{self._options.folder}/{note.uid}"
            fault = (
                TooLarge(f"a mail over {limit} bytes, whatever its size says") if len(body) > limit else None
            )
            found[note.uid] = SourceItem(note.key, body[:limit], shown, "message/rfc822", fault=fault)
        return found

    def _acknowledge(self, receipts: Sequence[str]) -> None:
        client = self._open_client()
        validity, _ = self._select()
        uids = [uid for mark, uid in map(_read_cursor, receipts) if mark == validity]
        for start in range(0, len(uids), MAX_MAILS):
            group = _as_set(uids[start : start + MAX_MAILS])
            if self._options.after == "move":
                self._check(client.uid("MOVE", group, f'"{_quote(self._options.done)}"'))
                continue
            flag = r"(\Seen)" if self._options.after == "seen" else r"(\Seen \Deleted)"
            self._check(client.uid("STORE", group, "+FLAGS.SILENT", flag))
            if self._options.after == "delete" and "UIDPLUS" in client.capabilities:
                self._check(client.uid("EXPUNGE", group))  # only these, and nobody else's (RFC 4315)

    def _open_client(self) -> imaplib.IMAP4:
        if self._client is None:
            raise SourceFault("reset", "the connection was closed")
        return self._client

    def _check(self, answer: tuple[str, list[Any]]) -> list[Any]:
        """What a command gives.

        Raises:
            SourceFault: the server says no.
        """
        status, found = answer
        if status != "OK":
            said = b" ".join(part for part in found if isinstance(part, bytes)).decode("latin-1")[:100]
            raise SourceFault("http_4xx", f"the server said {status} {said}")
        return [part for part in found if part is not None]

    async def _try(self, call: Callable[[], T]) -> T:
        """What a call gives; its error as a fault."""
        try:
            return await self._thread.run(call)
        except ssl.SSLError as error:
            raise tls_fault(error) from error
        except TimeoutError as error:
            raise SourceFault("timeout", "the server does not answer") from error
        except imaplib.IMAP4.abort as error:
            raise SourceFault("reset", str(error)[:200]) from error
        except imaplib.IMAP4.error as error:
            raise SourceFault("bad_response", str(error)[:200]) from error
        except OSError as error:
            raise SourceFault("connect", error.strerror or str(error)) from error


def _pairs(answers: Sequence[Any]) -> list[tuple[bytes, bytes]]:
    """Of each mail of an answer to FETCH what stands around its literal, and the literal."""
    pairs = []
    for place, answer in enumerate(answers):
        if isinstance(answer, tuple):
            tail = answers[place + 1] if place + 1 < len(answers) else b""
            pairs.append((answer[0] + b" " + (tail if isinstance(tail, bytes) else b""), answer[1]))
    return pairs


def _as_set(uids: Sequence[int]) -> str:
    return ",".join(map(str, uids))


def _read_cursor(cursor: str) -> tuple[int, int]:
    validity, _, uid = cursor.partition(":")
    return (int(validity), int(uid)) if validity.isdigit() and uid.isdigit() else (0, 0)


def _first_number(values: Sequence[Any] | None) -> int:
    value = values[0] if values else None
    return int(value) if isinstance(value, bytes) and value.isdigit() else 0


def _quote(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


def _place_of(options: ImapOptions) -> str:
    if options.tls == "off" and not is_loopback(options.host):
        raise ValueError('tls = "off" would send the password in clear')
    odd = re.compile(r"[\x00-\x1f\x7f]")
    if odd.search(options.folder + options.done) or not (options.folder + options.done).isascii():
        raise ValueError("folder, done: write other letters than ASCII in modified UTF-7 (RFC 3501, 5.1.3)")
    return f"imap://{options.host}:{options.port}/{options.folder}"


SOURCE: Final = SourceKind(ImapOptions, ImapSource, _place_of)
