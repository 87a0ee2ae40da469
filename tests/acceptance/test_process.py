"""``wiredesk process`` keeps the contract as a command."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from config.files import CONFIG_FOLDER
from processors.model.event import Event
from processors.model.schema import build_schema

pytestmark = pytest.mark.acceptance
SAMPLES = CONFIG_FOLDER / "samples"
SEED = Path(__file__).parents[2].parent / "shared" / "corpus" / "seed" / "efe_dispatch.txt"
ITEM = {
    "uri": "urn:x:1",
    "version": "1",
    "language": "en",
    "bodies": [
        {"role": "main", "contentType": "text/plain", "value": "PARIS, Nov 18 (Reuters) - A baker won."}
    ],
}


def run(wiredesk: str, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([wiredesk, *arguments], input=given, capture_output=True, timeout=90, check=False)


def lines(told: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in told.splitlines()]


def test_every_sample_becomes_valid_events_in_order(wiredesk: str) -> None:
    paths = [str(path) for path in sorted(SAMPLES.iterdir()) if path.suffix != ".md"]
    done = run(wiredesk, "process", *paths)
    assert (done.returncode, done.stderr) == (0, b"")
    events = lines(done.stdout)
    assert len(events) >= len(paths)
    told = [event["provenance"]["input"] for event in events]
    assert list(dict.fromkeys(told)) == paths, "every input has its events, in input order"
    validator = Draft202012Validator(build_schema(Event))
    for event in events:
        validator.validate(event)
        if event["lineage"]["relation"] != "duplicate":
            assert {
                "segments",
                "dateline",
                "quotes",
                "damage",
                "mentions",
                "entities",
                "dates",
                "topics",
            } <= set(event)


@pytest.mark.skipif(not SEED.is_file(), reason="the shared corpus is not beside the checkout")
def test_the_seed_dispatch_has_its_dateline(wiredesk: str) -> None:
    done = run(wiredesk, "process", str(SEED))
    [event] = lines(done.stdout)
    assert event["dateline"]["places"][0]["name"] == "Moscow"
    assert event["dateline"]["places"][0]["country"] == "RU"
    assert (event["dateline"]["date"], event["dateline"]["agency"]) == ("2025-01-29", "EFE")


BAD_FILES = {
    "empty.txt": (b"", "Empty"),
    "blank.txt": (b" \n\n ", "Empty"),
    "picture.bin": (bytes(range(256)) * 40, "NotText"),
    "page.html": (
        b"<!DOCTYPE html><html><head><title>x</title></head><body><p>Hello</p></body></html>",
        "NotAFeed",
    ),
    "cut.xml": (b'<?xml version="1.0"?><rss version="2.0"><channel><title>x</titl', "Malformed"),
    "other.xml": (b'<?xml version="1.0"?><recipe><egg/></recipe>', "UnknownFormat"),
    "bad.json": (b'{"uri": "urn:x:1", "headlines": [', "Malformed"),
    "other.json": (b'{"weather": "fine"}', "UnknownFormat"),
}


def test_bad_files_are_named_with_their_cause_and_the_next_is_processed(
    wiredesk: str, tmp_path: Path
) -> None:
    for name, (content, _) in BAD_FILES.items():
        (tmp_path / name).write_bytes(content)
    errors = tmp_path / "errors.jsonl"
    good = str(SAMPLES / "19-xinhua-tea.txt")
    paths = [str(tmp_path / name) for name in BAD_FILES]
    done = run(wiredesk, "process", "--errors", str(errors), "--steps", "normalise", *paths, good)
    assert done.returncode == 1
    assert done.stderr == b""
    [event] = lines(done.stdout)
    assert event["provenance"]["input"] == good
    told = {error["input"]: error["error"]["type"] for error in lines(errors.read_bytes())}
    assert told == {str(tmp_path / name): kind for name, (_, kind) in BAD_FILES.items()}
    assert all(error["error"]["message"] for error in lines(errors.read_bytes()))


def test_a_bad_line_is_numbered_and_the_others_become_events(wiredesk: str) -> None:
    long = b'{"uri": "' + b"x" * 100_000_000
    given = b"\n".join(
        [orjson.dumps(ITEM), b"{", long, b'{"headlines": []}', orjson.dumps(ITEM | {"uri": "urn:x:2"})]
    )
    done = run(wiredesk, "process", "--steps", "normalise", "-", given=given)
    assert done.returncode == 1
    assert [event["story"]["uri"] for event in lines(done.stdout)] == ["urn:x:1", "urn:x:2"]
    told = [(error["input"], error["line"], error["error"]["type"]) for error in lines(done.stderr)]
    assert told == [("-", 2, "Malformed"), ("-", 3, "TooLarge"), ("-", 4, "MissingIdentity")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("process",), "name a file"),
        (("process", "--steps", "normalise,stem", "-"), "no step is called 'stem'"),
        (("process", "--steps", "tag", "-"), "normalise reads the input"),
        (("process", "--now", "yesterday", "-"), "no RFC 3339 timestamp"),
        (("process", "/nowhere/x.txt"), "no such file"),
        (("process", "--config", "/nowhere/x.toml", "-"), "No such file"),
        (("frobnicate",), "No such command"),
    ],
)
def test_bad_usage_is_one_clear_line_and_status_2(
    wiredesk: str, arguments: tuple[str, ...], said: str
) -> None:
    done = run(wiredesk, *arguments)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_a_closed_pipe_ends_it_quietly(wiredesk: str) -> None:
    given = b"".join(orjson.dumps(ITEM | {"uri": f"urn:x:{n}"}) + b"\n" for n in range(3000))
    with subprocess.Popen(
        [wiredesk, "process", "--steps", "normalise", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(given[:20_000])
        process.stdin.flush()
        process.stdin.write(given[20_000:60_000])
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        try:
            process.stdin.write(given)
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert process.wait(30) == 0
        assert process.stderr.read() == b""


def test_help_gives_examples(wiredesk: str) -> None:
    done = run(wiredesk, "process", "--help")
    assert done.returncode == 0
    assert b"Examples:" in done.stdout
