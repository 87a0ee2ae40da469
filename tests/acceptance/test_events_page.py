"""The code of docs/events.md, taken out of the page and run on what it is about."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import orjson
import pytest

from config.settings import Settings
from processors.model.event import Event, RawItem
from streams.process import Input, Pipeline
from streams.topology import STEPS

PAGE: Final = (Path(__file__).parents[2] / "docs" / "events.md").read_text("utf-8")
# Emoji (also joined ones), marks that combine and letters of the right-to-left, before, in and behind what is named.
TEXTS: Final = (
    "OSLO, Nov 30 (NDA) - Flood 😀😀 in Oslo killed three people, Marta Oliveira said.",
    "LISBON, Nov 30 (NDA) - 👩‍👩‍👧Marta Oliveira👩‍👩‍👧 lives in Lisbon🇵🇹, Rene\u0301e Oliveira\u0301 told reporters.",
    "CAIRO, Nov 30 (NDA) - مرحبا Cairo مرحبا, said Marta Oliveira. 𝒳 Oslo 𝒳",
)
JAVASCRIPT: Final = """
const spans = JSON.parse(require("fs").readFileSync(0));
process.stdout.write(JSON.stringify(spans.map(([text, start, end]) => cut(text, start, end))));
"""
JAVA: Final = """
import java.nio.charset.StandardCharsets;
public class Cut {
    %s
    public static void main(String[] arguments) throws Exception {
        StringBuilder found = new StringBuilder();
        for (String line : new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split("\\n")) {
            String[] parts = line.split("\\t");
            found.append(cut(parts[0], Integer.parseInt(parts[1]), Integer.parseInt(parts[2]))).append("\\n");
        }
        System.out.write(found.toString().getBytes(StandardCharsets.UTF_8));
        System.out.flush();
    }
}
"""
GO: Final = """
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

%s
func main() {
	var spans [][3]any
	if err := json.NewDecoder(os.Stdin).Decode(&spans); err != nil {
		panic(err)
	}
	for _, span := range spans {
		fmt.Println(cut(span[0].(string), int(span[1].(float64)), int(span[2].(float64))))
	}
}
"""


def block(language: str) -> str:
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    return blocks[0]


def program(name: str) -> str:
    if not (found := shutil.which(name)):
        pytest.skip(f"no {name} on the PATH")
    return found


@pytest.fixture(scope="module")
def spans() -> Sequence[tuple[str, int, int, str]]:
    """The mentions of stories: the string, where, and the words that stand there."""
    item = {
        "type": "text",
        "version": "1",
        "language": "en",
        "headlines": [{"role": "main", "value": "Flood 😀 in Oslo"}],
    }
    inputs = []
    for number, text in enumerate(TEXTS):
        story = {
            **item,
            "uri": f"urn:x:{number}",
            "bodies": [{"role": "main", "contentType": "text/plain", "value": text}],
        }
        inputs.append(
            Input("-", number, RawItem(orjson.dumps(story), "2026-11-30T12:00:00Z", format="ninjs"))
        )
    events = [result.event for result in Pipeline(STEPS, Settings())(inputs)]
    found = [
        (getattr(event, mention.inside), mention.start, mention.end, mention.text)
        for event in events
        if isinstance(event, Event)
        for mention in event.mentions or ()
    ]
    assert {"Oslo", "Marta Oliveira", "Cairo"} <= {words for *_, words in found}
    assert any(not text[:start].isascii() for text, start, *_ in found), "something stands before them"
    return found


def run(command: Sequence[str | Path], told: bytes, cwd: Path) -> bytes:
    ran = subprocess.run(command, input=told, capture_output=True, cwd=cwd, timeout=110, check=False)
    assert ran.returncode == 0, (ran.stdout + ran.stderr).decode()[-2000:]
    return ran.stdout


def as_json(spans: Sequence[tuple[str, int, int, str]]) -> bytes:
    return orjson.dumps([span[:3] for span in spans])


def test_javascript_cuts_the_words_of_each_mention(
    spans: Sequence[tuple[str, int, int, str]], tmp_path: Path
) -> None:
    written = run([program("node"), "-e", block("javascript") + JAVASCRIPT], as_json(spans), tmp_path)
    assert orjson.loads(written) == [words for *_, words in spans]


@pytest.mark.timeout(150)
def test_java_cuts_the_words_of_each_mention(
    spans: Sequence[tuple[str, int, int, str]], tmp_path: Path
) -> None:
    program("javac")
    (tmp_path / "Cut.java").write_text(JAVA % block("java"), "utf-8")
    told = "".join(f"{text}\t{start}\t{end}\n" for text, start, end, _ in spans).encode()
    written = run([program("java"), "-Dfile.encoding=UTF-8", "Cut.java"], told, tmp_path)
    assert written.decode().splitlines() == [words for *_, words in spans]


@pytest.mark.timeout(150)
def test_go_cuts_the_words_of_each_mention(
    spans: Sequence[tuple[str, int, int, str]], tmp_path: Path
) -> None:
    (tmp_path / "cut.go").write_text(GO % block("go"), "utf-8")
    written = run([program("go"), "run", "cut.go"], as_json(spans), tmp_path)
    assert written.decode().splitlines() == [words for *_, words in spans]


def test_utf_16_units_and_bytes_cut_wrongly(spans: Sequence[tuple[str, int, int, str]]) -> None:
    """What the page warns of, so that the tests above can fail."""

    def cut(encoding: str, unit: int) -> Callable[[str, int, int], str]:
        return lambda text, start, end: text.encode(encoding)[start * unit : end * unit].decode(
            encoding, "replace"
        )

    for wrong in (cut("utf-16-le", 2), cut("utf-8", 1)):
        assert any(wrong(text, start, end) != words for text, start, end, words in spans)
