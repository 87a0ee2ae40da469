"""Takes the pictures of the desk that the documents show, of the bundled samples, into ``docs/pictures``. ``make screenshots``."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, sync_playwright

from tests.acceptance.conftest import COMMAND, FLAGS, find_chromium, wait_for_stories

PICTURE_FOLDER: Final = Path(__file__).parents[2] / "docs" / "pictures"


@dataclass(frozen=True)
class Picture:
    """One picture: what is opened, how wide, and which keys are pressed."""

    name: str
    path: str
    width: int = 1280
    height: int = 800
    scheme: Literal["light", "dark"] = "light"
    locale: str = "en-GB"
    keys: tuple[str, ...] = ()
    follows: str = ""  # a link that is opened first


PICTURES: Final = (
    Picture("list", "/"),
    Picture("side-by-side", "/", width=1500, height=860, scheme="dark", keys=("p", "j", "j", "j")),
    Picture("story", "/?q=ferry", follows=".story h2 a"),
    Picture("rising", "/rising"),
    Picture("phone", "/", width=390, height=800, locale="ar"),
)


def take_picture(browser: Browser, url: str, picture: Picture) -> None:
    """Open a page as a reader with no script of his own would, and keep what he sees."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme=picture.scheme,
        locale=picture.locale,
        timezone_id="Europe/Lisbon",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{url}{picture.path}")
    if picture.follows:
        page.locator(picture.follows).first.click()
        page.wait_for_load_state()
    for key in picture.keys:
        page.keyboard.press(key)
    if picture.keys:
        page.frame_locator(".pane iframe").locator("h1").wait_for()
    page.screenshot(path=PICTURE_FOLDER / f"{picture.name}.png")
    context.close()


def main() -> None:
    """Start the desk with the samples, and take every picture."""
    PICTURE_FOLDER.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WIREDESK_")}
    with tempfile.TemporaryDirectory() as folder:
        command = [str(COMMAND), "run", "--samples", "--no-feeds", "--data", folder, "--port", "0"]
        log_path = Path(folder) / "log"
        with (
            log_path.open("wb") as log,
            subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process,
        ):
            try:
                url = wait_for_stories(process, log_path)
                with sync_playwright() as driver:
                    browser = driver.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
                    for picture in PICTURES:
                        take_picture(browser, url, picture)
                    browser.close()
            finally:
                process.terminate()


if __name__ == "__main__":
    main()
