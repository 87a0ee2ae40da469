"""What a struct of settings says of its members: name, type, range, default, meaning, variable; and shared types.

A section is a `msgspec.Struct`; the `msgspec.Meta` of a setting holds its range and its meaning, and in `extra`:

- ``secret``: its value is never shown;
- ``file``: a file of the operator, found by the rule of `config.files`;
- ``url``: what stands before an ``@`` of it is never shown;
- ``choices``: the texts that a list may have;
- ``allowed``: what is allowed, in words, where its type does not say it.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeAlias, get_type_hints

import msgspec
from msgspec import Meta, inspect

PREFIX: Final = "WIREDESK_"
IN_WORDS: Final[Mapping[type[inspect.Type], str]] = {
    inspect.StrType: "text in quotes",
    inspect.BoolType: "true or false",
    inspect.VarTupleType: 'a list of texts, such as ["a", "b"], or a,b in a variable',
    inspect.DictType: "a table of texts, numbers and booleans",
}
MAX_SHOWN_CHARS: Final = 80  # of a value in an error; less hides where it is wrong, more breaks the line

# The languages that py3langid tells: `normalise.languages` chooses among them.
_CODES: Final = """
ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et eu ext fa fi fo fr fuv fy
ga gcf gcr gd gl gom grc gu gug guw ha hbo he hi hr ht hu hy id ig is it ja jv ka kab kik kk km kn ko ku ky la lb
lg lij ln lo lt ltg lv mg mk ml mn mr ms mt my ne nl nn no nso oc om or pa pcm pl ps pt qu ro ru rw sa sdh se si sk
sl sn so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz uzs vec vi vo wa wuu xh yo yue zh zu
"""
LANGUAGES: Final = tuple(_CODES.split())

PortNumber: TypeAlias = Annotated[int, Meta(ge=0, le=65_535)]
Count: TypeAlias = Annotated[int, Meta(ge=1, le=2_147_483_647)]
ByteCount: TypeAlias = Annotated[int, Meta(ge=1, le=2_147_483_647)]  # Kafka counts them in 32 bits
# Ten years at the most. 0 would mean no limit to aiohttp.
PositiveSeconds: TypeAlias = Annotated[float, Meta(gt=0, le=315_360_000)]
DelaySeconds: TypeAlias = Annotated[float, Meta(ge=0, le=315_360_000)]
HourCount: TypeAlias = Annotated[int, Meta(ge=1, le=87_600)]  # ten years
Workers: TypeAlias = Annotated[
    int,
    Meta(ge=0, le=1024, description="Processes for CPU steps. 0: one for each core, four at the most."),
]
VersionDays: TypeAlias = Annotated[
    int,
    Meta(ge=0, le=36_500, description="How long replaced versions of a story are kept. 0: as long as it."),
]
# less: a picture agency's feed waits for the next hour; more: one feed fills the disk within a day
FeedHourBytes: TypeAlias = Annotated[
    ByteCount,
    Meta(description="New items that are taken of one feed in an hour; the others wait in the feed."),
]
# less: a faulty feed leaves no trace; more: pages in place of feeds fill the disk
LetterDayBytes: TypeAlias = Annotated[
    ByteCount, Meta(description="Dead letters of one feed's documents in a day; later ones are only counted.")
]
# fewer: mail with many pictures is lost; more: a message of nothing but parts holds a worker
MailParts: TypeAlias = Annotated[
    Count, Meta(description="Parts of one e-mail message; one with more is rejected.")
]
# A long feature has 300 names, a list of results 2,000. Fewer: names late in such a list are missed; more: a story of
# nothing but names becomes an event of megabytes.
NameCount: TypeAlias = Annotated[Count, Meta(description="Names of one story; later ones are left out.")]
HostName: TypeAlias = Annotated[str, Meta(pattern=r"^[^\s/]+$", extra={"allowed": "a host name or address"})]
Secret: TypeAlias = Annotated[str, Meta(extra={"secret": True})]
OwnFile: TypeAlias = Annotated[str, Meta(extra={"file": True})]
NetworkList: TypeAlias = Annotated[
    tuple[str, ...],
    Meta(description="Networks (CIDR, or address:port) that are open beside the public ones."),
]
ProxyList: TypeAlias = Annotated[
    tuple[str, ...],
    Meta(
        description="Addresses or networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."
    ),
]
OriginList: TypeAlias = Annotated[
    tuple[str, ...],
    Meta(description="Origins (https://board.example) whose pages may read the API from a browser."),
]
_HOST: Final = r"(\[[0-9A-Fa-f:.]+\]|[^\s/@:,\[\]]+)"  # a name or address; one of IPv6 in brackets
_PORT: Final = r"0*([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])"
SecurityProtocol: TypeAlias = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
RecordTime: TypeAlias = Literal["written", "received", "published"]
SaslMechanism: TypeAlias = Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
KafkaName: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._-]*$",
        max_length=200,
        extra={"allowed": "at most 200 letters, digits, dots, hyphens and underscores"},
    ),
]
BrokerList: TypeAlias = Annotated[
    str,
    Meta(
        pattern=rf"^({_HOST}(:{_PORT})?( *, *(?!$)|$))+$",
        extra={"allowed": "host:port, or several with commas between"},
    ),
]
IndexAddress: TypeAlias = Annotated[
    str,
    Meta(
        pattern=rf"^https?://([^\s/@]*@)?{_HOST}:{_PORT}(/[^\s@]*)?$",
        extra={"url": True, "allowed": "an address with scheme and port, such as http://127.0.0.1:9200"},
    ),
]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `path` is its section and name, as ``("embedded", "batch")``."""

    path: tuple[str, ...]
    annotation: Any
    type: inspect.Type
    default: Any
    meaning: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name with its section: ``embedded.batch``."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """The variable of the environment: ``WIREDESK_EMBEDDED_BATCH``."""
        return PREFIX + "_".join(self.path).upper()

    @property
    def is_secret(self) -> bool:
        """Whether its value must not be shown."""
        return bool(self.extra.get("secret"))

    @property
    def is_file(self) -> bool:
        """Whether it names a file of the operator."""
        return bool(self.extra.get("file"))

    def convert(self, value: Any) -> Any:
        """The value as the struct holds it.

        Raises:
            ValueError: it has another type, or is out of range.
        """
        if isinstance(self.type, inspect.DictType) and isinstance(value, Mapping):
            value = {name: _plain_text(option) for name, option in value.items()}
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("not a finite number")
        converted = msgspec.convert(value, self.annotation, strict=True)
        if (choices := self.extra.get("choices")) and not set(converted) <= set(choices):
            raise ValueError("not one of the choices")
        return converted

    def parse(self, text: str) -> Any:
        """The value that a variable's text stands for: ``5``, ``0.5``, ``true``, ``a,b`` or ``["a", "b"]``.

        A text that can't be parsed comes back as it is; `convert` refuses it.
        """
        if isinstance(self.type, inspect.StrType | inspect.LiteralType):
            return text
        if isinstance(self.type, inspect.VarTupleType) and not text.lstrip().startswith("["):
            return [part.strip() for part in text.split(",") if part.strip()]
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text

    def allowed(self) -> str:
        """What its value must be, in words: ``a whole number from 1 to 10,000``."""
        if words := self.extra.get("allowed"):
            return str(words)
        match self.type:
            case inspect.IntType() | inspect.FloatType() as number:
                return _range_in_words(number)
            case inspect.LiteralType(values):
                return "one of " + ", ".join(str(choice) or '""' for choice in values)
            case inspect.VarTupleType() if choices := self.extra.get("choices"):
                return f"a list of {', '.join(choices)}"
            case inspect.StrType(min_length=1):
                return "text in quotes, not empty"
        return IN_WORDS[type(self.type)]

    def refusal(self, value: Any) -> str:
        """Why a value can't be: the key, the value and what is allowed; a secret's value is left out."""
        if self.is_secret:
            return f"{self.key} must be {self.allowed()} (its value is not shown)"
        shown = to_toml(value)
        if self.extra.get("url") and "@" in shown:
            shown = f'"…@{shown.rpartition("@")[2]}'
        if len(shown) > MAX_SHOWN_CHARS:
            shown = f"{shown[:MAX_SHOWN_CHARS]}…"
        return f"{self.key} is {shown}; it must be {self.allowed()}"


@cache
def nested_sections(kind: type[msgspec.Struct]) -> Mapping[str, type[msgspec.Struct]]:
    """The members of a struct that are structs themselves, by name."""
    hints = get_type_hints(kind)
    return {
        name: hints[name]
        for name in kind.__struct_fields__
        if isinstance(hints[name], type) and issubclass(hints[name], msgspec.Struct)
    }


@cache
def section_settings(kind: type[msgspec.Struct], path: tuple[str, ...] = ()) -> Mapping[str, Setting]:
    """The settings of one section, by name; without those of the sections in it."""
    hints = get_type_hints(kind, include_extras=True)
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return {
        described.name: _describe_setting((*path, described.name), hints[described.name], described)
        for described in info.fields
        if described.name not in nested_sections(kind)
    }


def all_settings(kind: type[msgspec.Struct], path: tuple[str, ...] = ()) -> Iterator[Setting]:
    """Every setting of a struct and of the sections in it, in their order."""
    yield from section_settings(kind, path).values()
    for name, section in nested_sections(kind).items():
        yield from all_settings(section, (*path, name))


def settings_schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a file of these settings; nothing else may stand in one."""
    schema = msgspec.json.schema(kind)
    for definition in schema["$defs"].values():
        if "properties" in definition:
            definition["additionalProperties"] = False
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of wiredesk",
        **schema,
    }


def to_toml(value: Any) -> str:
    """A value as TOML writes it; what TOML has not, as Python does. Large numbers have marks: ``2_000_000``."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return msgspec.json.encode(value).decode()
        case int() if abs(value) >= 10_000:
            return f"{value:_}"
        case list() | tuple():
            return f"[{', '.join(map(to_toml, value))}]"
        case Mapping():
            return (
                f"{{ {', '.join(f'{key} = {to_toml(item)}' for key, item in value.items())} }}"
                if value
                else "{}"
            )
    return str(value)


def _describe_setting(path: tuple[str, ...], annotation: Any, described: inspect.Field) -> Setting:
    kind, meaning = described.type, ""
    extra: dict[str, Any] = {}
    while isinstance(kind, inspect.Metadata):
        meaning = (kind.extra_json_schema or {}).get("description", meaning)
        extra = {**(kind.extra or {}), **extra}
        kind = kind.type
    default = described.default
    if default is msgspec.NODEFAULT:
        default = described.default_factory()
    return Setting(path, annotation, kind, default, meaning, extra)


def _range_in_words(number: inspect.IntType | inspect.FloatType) -> str:
    kind = "a whole number" if isinstance(number, inspect.IntType) else "a number"
    if number.gt is not None:
        return f"{kind} above {number.gt:,.15g}, at most {number.le:,.15g}"
    return f"{kind} from {number.ge:,.15g} to {number.le:,.15g}"


def _plain_text(value: Any) -> Any:
    """A number or boolean of a table of options, as the text that a client takes."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value
