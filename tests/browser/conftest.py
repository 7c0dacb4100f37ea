"""A real browser before a real server."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")

type Open = Callable[..., Page]


@pytest.fixture(autouse=True)
def payment_sandbox(settings: Settings, tmp_path: Path) -> None:
    """Give each test a payment provider with empty books."""
    settings.PAYMENTS = {**settings.PAYMENTS, "SANDBOX_FILE": tmp_path / "sandbox.sqlite3"}


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Headless Chromium, for these tests only.

    While it runs, Playwright's event loop is in this thread, where Django would suspect
    asynchronous code at every statement.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"Chromium is not installed: none of {', '.join(NAMES)} is on the PATH")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, live_server: LiveServer) -> Iterator[Open]:
    """Opens the shop in a new window, with cookies of its own."""
    contexts: list[BrowserContext] = []

    def visit(
        path: str = "/", *, scripts: bool = True, width: int = 1280, scheme: str = "light"
    ) -> Page:
        context = chromium.new_context(
            base_url=live_server.url,
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
            locale="en-GB",
            viewport={"width": width, "height": 800},
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield visit
    for context in contexts:
        context.close()
