"""HTTP APIs by declaration: the address of a list, what stands where in it, and what is fetched and told for each entry.

How an API goes on from call to call is its `paging`:

- ``link``: the answer names the address of the next page (`next`, or the header Link), which is the cursor;
- ``cursor``: the answer holds a mark (`next`) that the next request carries as ``{cursor}``;
- ``time``: requests ask for what is newer than ``{cursor}``, which is the latest `time` of an entry;
- ``sweep``: newest entries come first, page by page by a mark; when a sweep is through the next one begins at the top;
- ``queue``: the same request again; what was acknowledged is not in its answer any more;
- ``none``: one page, always the whole of it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote, urljoin, urlsplit

import orjson
import xxhash
from msgspec import Meta, Struct
from yarl import URL

from processors.errors import Malformed, Rejected, TooLarge
from processors.times import to_milliseconds, to_timestamp
from streams.pollers.feed import find_url_fault
from streams.pollers.fetch import parse_origin
from streams.pollers.schedule import retry_after
from streams.sources import shape
from streams.sources.oauth import OAuthOptions, OAuthToken
from streams.sources.ports import (
    MAX_BATCH_BYTES,
    IsKnown,
    SecretReader,
    SourceBatch,
    SourceFault,
    SourceItem,
    SourceKind,
    SourceLimits,
)
from streams.sources.web import ApiClient, WebAnswer, WebRequest

PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
# Statuses by which an API says that it does not know a cursor, or knows it no more.
CURSOR_STATUSES: Final = frozenset({400, 404, 410, 422})
# A receipt that was carried out before: what it stands for is not there any more.
GONE_STATUSES: Final = frozenset({404, 410})
MARGIN_S: Final = (
    3600  # that a sweep reaches back behind the last one's beginning, for what an agency adds late
)
FIRST_AGE_S: Final = 86_400  # how far the first sweep reaches back
MIN_SECRET_CHARS: Final = 6  # of a secret that is looked for in links; a shorter one would be found in any
CURSOR_MARK: Final = (
    "+"  # at the end of a cursor of time: more waits behind it, so nothing is asked for twice
)


class ApiOptions(Struct, frozen=True, kw_only=True):
    """The keys of an API. Texts with ``{name}`` hold a secret, ``{cursor}``, ``{age_s}``, ``{id}`` or ``{receipt}``."""

    address: str
    method: Literal["GET", "POST"] = "GET"
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    body: dict[str, Any] = {}
    oauth: OAuthOptions | None = None
    paging: Literal["link", "cursor", "time", "sweep", "queue", "none"] = "none"
    next: str = ""  # where the answer holds the next link or mark
    more: str = ""  # where it says whether there is a further page
    start: str = ""  # the first cursor
    time: str = ""  # where an entry holds its time
    page_size: Annotated[int, Meta(ge=0)] = (
        0  # entries of a full page, behind which there may be more; 0: nobody knows
    )
    overlap_s: Annotated[float, Meta(ge=0)] = 60.0  # that a request by time reaches back, for what comes late
    format: Literal["json", "xml"] = "json"
    items: str = ""  # where the list stands
    entry: str = ""  # where in a member of the list the entry itself stands
    id: str = "id"
    version: str = ""
    only: dict[str, str] = {}  # entries are taken where these members have these values
    content: str = ""  # where an entry names the address of its document
    content_address: str = ""  # the address of its document, with {id}
    content_method: Literal["GET", "POST"] = "GET"
    content_body: dict[str, Any] = {}
    content_entry: str = ""  # where in that answer the document stands
    media_type: str | None = None
    fields: dict[str, str] = {}  # members of ninjs, by where the document holds them
    receipt: str = ""  # where an entry holds its receipt
    receipt_address: str = ""
    receipt_method: Literal["DELETE", "POST", "PUT", "PATCH"] = "DELETE"
    timeout_s: Annotated[float, Meta(gt=0)] = 60.0
    connections: Annotated[int, Meta(ge=1, le=64)] = 4
    delay_s: Annotated[float, Meta(ge=0)] = 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a page: what it is called, its key with its version, and its receipt."""

    node: Any
    id: str
    key: str
    receipt: str


class ApiSource:
    """An API (`streams.sources.ports.Source`)."""

    def __init__(self, options: ApiOptions, secrets: SecretReader, limits: SourceLimits) -> None:
        """Nothing is connected yet."""
        self._options, self._secrets, self._limits = options, secrets, limits
        self._client = ApiClient(
            limits, options.address, timeout_s=options.timeout_s, connections=options.connections,
            delay_s=options.delay_s,
        )  # fmt: skip
        self._values: dict[str, str] = {}  # the secrets, by their names
        self._token: OAuthToken | None = None

    async def open(self) -> None:
        """Read the secrets; connections are made as they are needed."""
        self._values = {name: self._secrets.read(name) for name in self._secrets.names()}
        if self._options.oauth:
            self._token = OAuthToken(self._options.oauth, self._values, self._limits)
        await self._client.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def items(self, cursor: str, is_known: IsKnown) -> SourceBatch:
        """The entries of the page behind a cursor that are not known, as many as fit into a batch."""
        began = int(time.time())
        answer = await self._ask(self._page_request(cursor))
        if answer.status in CURSOR_STATUSES and cursor:
            raise SourceFault("cursor", f"the server does not take our cursor ({answer.status})")
        page = self._parse(answer)
        entries = [self._read_entry(member) for member in shape.find_all(page, self._options.items)]
        wanted = [entry for entry in entries if self._is_wanted(entry) and not is_known(entry.key)]
        fresh = list({entry.key: entry for entry in wanted}.values())
        items = await self._fetch_items(fresh)
        waiting = {entry.key for entry in fresh} - {item.key for item in items}
        receipts = [entry.receipt for entry in entries if entry.receipt and entry.key not in waiting]
        if len(items) < len(fresh):  # the rest of the page comes with the same cursor
            return SourceBatch(items, cursor, receipts, more=True)
        following, more = self._next_cursor(cursor, page, answer, entries, began)
        retry_at = retry_after(answer.headers, float(began))
        wait_s = None if retry_at is None else max(0.0, retry_at - began)
        if self._options.paging == "queue":
            more = bool(entries) and not wait_s
        return SourceBatch(items, following, receipts, more=more, wait_s=None if more else wait_s)

    async def commit(self, receipts: Sequence[str]) -> None:
        """Send each receipt to its address."""
        if not self._options.receipt_address:
            return
        for start in range(0, len(receipts), self._options.connections):
            group = receipts[start : start + self._options.connections]
            answers = await asyncio.gather(*(self._ask(self._receipt_request(receipt)) for receipt in group))
            for answer in answers:
                if answer.status >= 300 and answer.status not in GONE_STATUSES:
                    raise SourceFault("http_4xx", f"a receipt is refused ({answer.status})")

    def _page_request(self, cursor: str) -> WebRequest:
        options = self._options
        mark, age_s = cursor or options.start, FIRST_AGE_S
        if options.paging == "link" and cursor:
            url = self._fill(cursor, {})
            if parse_origin(url) != parse_origin(options.address):
                raise SourceFault("cursor", "the next page is another host's")
            return self._request(url, options.method, options.body, {})
        if options.paging == "sweep":
            _, last, mark = _read_sweep(cursor)
            age_s = (int(time.time()) - last + MARGIN_S) if last else FIRST_AGE_S
        elif options.paging == "time":
            mark = self._reach_back(mark)
        names = {"cursor": mark, "age_s": str(age_s)}
        url = self._fill(options.address, {name: quote(value, safe="") for name, value in names.items()})
        query = {key: filled for key, value in options.query.items() if (filled := self._fill(value, names))}
        return self._request(
            str(URL(url, encoded=True).update_query(query)), options.method, options.body, names
        )

    def _request(
        self, url: str, method: str, body: Mapping[str, Any], names: Mapping[str, str]
    ) -> WebRequest:
        headers = {name: self._fill(value, names) for name, value in self._options.headers.items()}
        return WebRequest(
            url, method, headers, json=self._fill_all(body, names) if method == "POST" else None
        )

    def _receipt_request(self, receipt: str) -> WebRequest:
        address = self._fill(self._options.receipt_address, {"receipt": quote(receipt, safe="")})
        return self._request(address, self._options.receipt_method, {}, {})

    async def _ask(self, request: WebRequest) -> WebAnswer:
        """The answer; with a token that is made anew once where it has run out."""
        if self._token is None:
            return await self._client.ask(request)
        for last in (False, True):
            header = {"Authorization": f"Bearer {await self._token.value()}"}
            try:
                return await self._client.ask(
                    WebRequest(request.url, request.method, {**request.headers, **header}, request.json)
                )
            except SourceFault as fault:
                if fault.outcome != "credentials" or last or not self._token.forget():
                    raise
        raise AssertionError("the second try ends")

    def _parse(self, answer: WebAnswer) -> Any:
        if answer.status >= 300:
            raise SourceFault("http_4xx", f"the server said {answer.status}")
        if answer.status == 204 or not answer.body.strip():
            return {}
        if answer.is_cut:
            raise SourceFault(
                "too_large", f"a page over {self._limits.max_item_bytes} bytes; ask for smaller ones"
            )
        try:
            return shape.parse_answer(answer.body, self._options.format)
        except Malformed as error:
            raise SourceFault("malformed", str(error)) from error

    def _read_entry(self, member: Any) -> Entry:
        node = shape.find_value(member, self._options.entry) if self._options.entry else member
        node = member if node is None else node
        identifier = shape.find_text(node, self._options.id)
        version = shape.find_text(node, self._options.version)
        receipt = shape.find_text(node, self._options.receipt)
        if not version or not identifier:
            version = f"{xxhash.xxh3_64_intdigest(_without(node, self._options.receipt)):016x}"
        return Entry(node, identifier, f"{identifier}\n{version}", receipt)

    def _is_wanted(self, entry: Entry) -> bool:
        return all(shape.find_text(entry.node, path) == value for path, value in self._options.only.items())

    async def _fetch_items(self, entries: Sequence[Entry]) -> list[SourceItem]:
        """The documents of entries, in their order, until a batch is full."""
        items: list[SourceItem] = []
        size, step = 0, self._options.connections
        for start in range(0, min(len(entries), self._limits.max_items), step):
            group = entries[start : start + step]
            results = await asyncio.gather(
                *(self._fetch_item(entry) for entry in group), return_exceptions=True
            )
            for entry, result in zip(group, results, strict=True):
                if isinstance(result, SourceItem):
                    items.append(result)
                    size += len(result.payload)
                elif not isinstance(result, SourceFault):
                    raise result
                elif not items:  # else what is there goes first, and the next look fails over this one alone
                    result.item = self._item(entry, shape.as_bytes(entry.node), "")
                    raise result
            if size > MAX_BATCH_BYTES or len(items) < start + len(group):
                break
        return items

    async def _fetch_item(self, entry: Entry) -> SourceItem:
        """One document: the entry itself, or what it leads to. What can't be had is told of the entry."""
        options = self._options
        link = shape.find_text(entry.node, options.content)
        if options.content_address:
            link = self._fill(options.content_address, {"id": quote(entry.id, safe="")})
        if not link and not options.content:
            return self._document(entry, entry.node, options.address)
        link = urljoin(options.address, link) if link else ""
        if not link or find_url_fault(link):
            fault = Malformed(f"an entry without the address of its document ({options.content})")
            return self._item(entry, shape.as_bytes(entry.node), "", fault)
        try:
            answer = await self._ask(
                self._request(link, options.content_method, options.content_body, {"id": entry.id})
            )
        except SourceFault as refusal:
            if refusal.outcome not in {"credentials", "blocked_address", "redirects"}:
                raise
            # The page was given to us, so this is about the one document.
            return self._item(entry, shape.as_bytes(entry.node), link, Malformed(f"its document: {refusal}"))
        if answer.status >= 300:
            fault = Malformed(f"its document can't be had: the server said {answer.status}")
            return self._item(entry, shape.as_bytes(entry.node), link, fault)
        try:
            return self._read_document(entry, link, answer)
        except Rejected as error:
            return self._item(entry, answer.body, link, error)

    def _read_document(self, entry: Entry, link: str, answer: WebAnswer) -> SourceItem:
        """The document in an answer.

        Raises:
            Rejected: it is too large, or not where it should be.
        """
        options = self._options
        if answer.is_cut:
            raise TooLarge(f"over {self._limits.max_item_bytes} bytes, the limit of poll.max_body_bytes")
        if not options.content_entry and not options.fields:
            return SourceItem(
                entry.key, answer.body, link, options.media_type or answer.media_type, answer.charset
            )
        page = shape.parse_answer(answer.body, options.format)
        node = shape.find_value(page, options.content_entry) if options.content_entry else page
        if node is None:
            raise Malformed(f"an answer without {options.content_entry}")
        return self._document(entry, node, link)

    def _document(self, entry: Entry, node: Any, place: str) -> SourceItem:
        """An entry as a document: as it is, or told in the members of ninjs, the entry beside them."""
        if not self._options.fields:
            return self._item(entry, shape.as_bytes(node), place)
        members = {
            name: value for name, path in self._options.fields.items() if (value := _member(node, path))
        }
        kept = shape.as_bytes(node).decode() if shape.is_element(node) else node
        return self._item(entry, orjson.dumps({"type": "text", **members, "x-entry": kept}), place)

    def _item(self, entry: Entry, payload: bytes, place: str, fault: Rejected | None = None) -> SourceItem:
        options = self._options
        is_told = bool(options.fields) and fault is None
        default = "application/json" if options.format == "json" else "application/xml"
        media_type = "application/ninjs+json" if is_told else options.media_type or default
        return SourceItem(entry.key, payload, place or options.address, media_type, "utf-8", fault)

    def _next_cursor(
        self, cursor: str, page: Any, answer: WebAnswer, entries: Sequence[Entry], began: int
    ) -> tuple[str, bool]:
        """The cursor behind a page, and whether there is more now."""
        options = self._options
        said_more = shape.find_text(page, options.more) if options.more else ""
        mark = shape.find_text(page, options.next) if options.next else answer.next_link
        if options.paging == "link":
            following = self._hide(urljoin(answer.url, mark)) if mark else cursor
            return following, bool(mark) and bool(entries) and following != cursor and said_more != "false"
        if options.paging == "cursor":
            following = mark or cursor
            return following, bool(entries) and following != cursor and said_more != "false"
        if options.paging == "sweep":
            start, last, before = _read_sweep(cursor)
            start = start or began
            if mark and mark != before and said_more != "false" and entries:
                return f"{start} {last} {mark}", True
            return f"0 {start} ", False
        if options.paging == "time":
            return self._next_time(cursor, entries)
        return cursor, False

    def _next_time(self, cursor: str, entries: Sequence[Entry]) -> tuple[str, bool]:
        """The latest time of a page; a full page is gone behind without reaching back."""
        times = [
            moment
            for entry in entries
            if (moment := _milliseconds(shape.find_text(entry.node, self._options.time)))
        ]
        before = _milliseconds(cursor.removesuffix(CURSOR_MARK))
        is_full = bool(self._options.page_size) and len(entries) >= self._options.page_size
        if not times:
            return cursor.removesuffix(CURSOR_MARK), False
        latest = max(times)
        if is_full:
            if cursor.endswith(CURSOR_MARK) and latest <= before:
                latest = before + 1000  # a page full of one second: what is over it can't be asked for
            return to_timestamp(latest) + CURSOR_MARK, True
        return to_timestamp(max(latest, before)), False

    def _reach_back(self, mark: str) -> str:
        moment = _milliseconds(mark)
        if not moment or mark.endswith(CURSOR_MARK):
            return mark.removesuffix(CURSOR_MARK)
        return to_timestamp(moment - int(self._options.overlap_s * 1000))

    def _fill(self, text: str, names: Mapping[str, str]) -> str:
        """A text with secrets and names in their places; what is neither stays as it is."""
        values = {**self._values, **names}
        return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)

    def _fill_all(self, value: Any, names: Mapping[str, str]) -> Any:
        """A body with every text filled; one that is a name alone without a value is null."""
        if isinstance(value, str):
            return self._fill(value, names) or (None if PLACEHOLDER.fullmatch(value) else "")
        if isinstance(value, Mapping):
            return {key: self._fill_all(member, names) for key, member in value.items()}
        if isinstance(value, list):
            return [self._fill_all(member, names) for member in value]
        return value

    def _hide(self, text: str) -> str:
        """A text that is remembered, with the names of secrets in their places."""
        if any(match[1] in self._values for match in PLACEHOLDER.finditer(text)):
            raise SourceFault("malformed", "the answer's next link asks for a secret of ours")
        for name, value in self._values.items():
            if len(value) < MIN_SECRET_CHARS:
                continue
            for form in {value, quote(value, safe="")}:
                text = text.replace(form, f"{{{name}}}")
        return text


def _read_sweep(cursor: str) -> tuple[int, int, str]:
    """When this sweep began, when the last one did (seconds since the epoch), and the mark of the next page."""
    parts = cursor.split(" ", 2)
    if len(parts) != 3 or not parts[0].isdigit() or not parts[1].isdigit():
        return 0, 0, ""
    return int(parts[0]), int(parts[1]), parts[2]


def _milliseconds(text: str) -> int:
    try:
        return to_milliseconds(text)
    except ValueError:
        return 0


def _without(node: Any, path: str) -> bytes:
    """The bytes of an entry but for its receipt, which is another one each time."""
    if path and isinstance(node, dict):
        node = {name: value for name, value in node.items() if name != path}
    return shape.as_bytes(node)


def _member(node: Any, path: str) -> Any:
    """A member of ninjs: a text; the paragraphs of a list are joined; ``=text`` stands for itself."""
    if path.startswith("="):
        return path[1:]
    value = shape.find_value(node, path)
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n\n".join(value)
    return shape.find_text(node, path)


def _place_of(options: ApiOptions) -> str:
    """The address of an API, which must be one that secrets can be sent to."""
    if fault := find_url_fault(options.address):
        raise ValueError(f"address: {fault}")
    if "@" in urlsplit(options.address).netloc:
        raise ValueError("address: no user or password in it; use `secrets` and `headers`")
    return PLACEHOLDER.sub("", options.address)


SOURCE: Final = SourceKind(ApiOptions, ApiSource, _place_of)
