"""The page of `monolift probe`, opened from a file as its readers open it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.library.test_probe import probe


class Opened(NamedTuple):
    """A page, and what it complained of or asked for."""

    page: Page
    complaints: list[str]
    requests: list[str]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page on the plain project."""
    place = tmp_path_factory.mktemp("probe") / "coupling.html"
    done = probe("--format", "html", "--output", str(place))
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(params=["light", "dark"])
def opened(chromium: Browser, file: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    """The page in a window."""
    context = chromium.new_context(
        color_scheme=request.param, viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    seen = Opened(page, [], [])
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("request", lambda asked: seen.requests.append(asked.url))
    page.goto(file.as_uri())
    yield seen
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith("data:")] == [file.as_uri()]
    context.close()


def test_the_graph_is_there(opened: Opened) -> None:
    page = opened.page
    expect(page.locator("#graph .node")).to_have_count(5)
    expect(page.locator('#graph .node[data-module="orders"]')).to_be_visible()
    expect(page.locator('#graph .node[data-module="orders"] .cycle')).to_have_count(1)
    expect(page.locator('#graph .node[data-module="pages"] .cycle')).to_have_count(0)
    assert page.locator("#graph .edge").count() >= 4
    expect(page.locator("#graph .edge.cut")).not_to_have_count(0)


def test_a_click_on_a_module_shows_what_blocks_it(opened: Opened) -> None:
    page = opened.page
    page.locator('[data-module="orders"] .body').click()
    panel = page.locator("#panel")
    expect(panel.locator("h3")).to_have_text("orders")
    expect(panel).to_contain_text("1 foreign key · customers")
    panel.locator("summary", has_text="1 foreign key").click()
    expect(panel.get_by_text("shop/orders/models.py:").first).to_be_visible()
    expect(panel).to_contain_text("Keep the id as a plain field")
    expect(page.locator('[data-module="pages"]')).to_have_class("node near faded")
    assert page.url.endswith("#module=orders")


def test_a_keyboard_is_enough(opened: Opened) -> None:
    page = opened.page
    page.locator("#graph .node[tabindex='0']").focus()
    before = page.evaluate("document.activeElement.dataset.module")
    for key in ("ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    for key in ("ArrowDown", "ArrowRight"):
        if page.evaluate("document.activeElement.dataset.module") == before:
            page.keyboard.press(key)
    here = page.evaluate("document.activeElement.dataset.module")
    assert here
    page.keyboard.press("Enter")
    expect(page.locator("#panel h3")).to_have_text(here)
    page.keyboard.press("Escape")
    expect(page.locator("#panel h3")).to_have_text("Choose a module")


def test_the_matrix_is_sorted_by_a_column(opened: Opened) -> None:
    page = opened.page
    matrix = page.locator("#matrix-table")
    matrix.locator("thead button", has_text="orders").click()
    expect(matrix.locator("tbody tr").first.locator("th")).to_have_text("reports")
    matrix.locator("td button").first.click()
    expect(page.locator("#panel h3")).to_have_text("reports depends on orders")


def test_the_ranking_is_sorted(opened: Opened) -> None:
    page = opened.page
    rows = page.locator("#ranking-table tbody tr")
    expect(rows.first).to_contain_text("pages")
    page.locator("#ranking-table thead button", has_text="Cost").click()
    expect(rows.last).to_contain_text("pages")


def test_kinds_can_be_left_out(opened: Opened) -> None:
    page = opened.page
    before = page.locator("#graph .edge").count()
    page.locator("#filter summary").click()
    for box in page.locator("#kind-filter input").all()[1:]:
        box.uncheck()
    expect(page.locator("#graph .edge")).not_to_have_count(before)
