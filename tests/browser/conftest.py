"""A real browser for the page, and the watch over it.

Tests skip where Playwright or Chromium is missing, except in CI, where they fail. Screenshots
go to the folder that PAGE_SCREENSHOTS names; axe-core is the file that AXE names.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.browser.reading import come_to_rest

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

DESKTOP, PHONE = (1280, 720), (390, 844)


def missing(what: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI must not go without it")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("Playwright (pip install playwright)")
    program = shutil.which("chromium")
    if program is None:
        missing("Chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Return a function that opens HTML text and fails the test for any complaint or request.

    The page is at rest by then.
    """
    trouble: list[str] = []
    contexts: list[Any] = []

    def open_(
        content: str, fragment: str = "", size: tuple[int, int] = DESKTOP, **settings: Any
    ) -> Any:
        file = tmp_path / f"page{len(contexts)}.html"
        file.write_text(content, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, bypass_csp=False, **settings
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda m: m.type in ("error", "warning") and trouble.append(m.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on(
            "request",
            lambda r: r.url.startswith(("file:", "data:")) or trouble.append(f"request {r.url}"),
        )
        page.goto(file.as_uri() + fragment)
        come_to_rest(page)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert trouble == []


@pytest.fixture
def screenshot(tmp_path: Path) -> Any:
    """Return a function that keeps a picture of a page under a name."""
    folder = Path(os.environ.get("PAGE_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def keep(page: Any, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png")

    return keep


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    file = os.environ.get("AXE")
    if not file:
        missing("axe-core (npm pack axe-core; AXE=path of its axe.min.js)")
    return Path(file).read_text(encoding="utf-8")
