"""The index follows catalog, whatever comes late, twice, or not at all."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from modules.catalog.events import ProductPublished
from modules.catalog.interface import Catalog, Product
from modules.search import handlers, models
from modules.search.services import indexing
from monolift import Unavailable, use
from monolift.kernel import uuid7
from monolift.registry.proxies import override
from monolift.registry.scope import Scope, entered
from monolift.registry.sql import execute
from monolift.registry.topology import topology
from monolift.testing.scenario import Scenario
from tests.modules.search.goods import draft, found, page, publish, shelves

pytestmark = pytest.mark.django_db(databases="__all__")


def reindex() -> None:
    call_command("reindex_search")


def words() -> set[str]:
    return set(models.Word.objects.values_list("word", flat=True))


def published(slug: str, title: str) -> ProductPublished:
    return ProductPublished(product_id=uuid7(), slug=slug, title=title, description="", skus=())


def test_a_changed_product_is_found_by_its_new_words_only(scenario: Scenario) -> None:
    publish(draft("Oak chair", slug="chair"))
    scenario.run_until_idle()
    publish(draft("Beech chair", slug="chair"))
    scenario.run_until_idle()
    assert found("oak") == []
    assert found("beech") == ["chair"]


def test_a_withdrawn_product_is_gone_until_it_comes_back(scenario: Scenario) -> None:
    publish(draft("Oak chair"))
    scenario.run_until_idle()
    use(Catalog).withdraw_product(slug="oak-chair")
    scenario.run_until_idle()
    assert found("oak") == []
    assert found("") == []
    assert page("").facets == ()
    publish(draft("Oak chair"))
    scenario.run_until_idle()
    assert found("oak") == ["oak-chair"]


def test_a_late_event_does_not_bring_the_old_text_back(scenario: Scenario) -> None:
    publish(draft("Beech chair", slug="chair"))
    scenario.run_until_idle()
    handlers.index_published(published("chair", "Oak chair"))
    assert found("oak") == []
    assert found("beech") == ["chair"]
    use(Catalog).withdraw_product(slug="chair")
    scenario.run_until_idle()
    handlers.index_published(published("chair", "Oak chair"))
    assert found("") == []


class Interrupted:
    """Catalog, with something happening after it was asked and before the answer is used."""

    def __init__(self, real: Catalog, meanwhile: Iterator[None]) -> None:
        self._real, self._meanwhile = real, meanwhile

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def products(self, **arguments: object) -> object:
        answer = self._real.products(**arguments)
        with entered(Scope(None, None, None, kind="root")):  # as another process would
            next(self._meanwhile, None)
        return answer


@pytest.mark.together
def test_a_reindexing_never_overwrites_what_an_event_wrote_meanwhile(scenario: Scenario) -> None:
    from modules.catalog.services import CatalogService

    publish(draft("Oak chair", slug="chair"), draft("Oak bench", slug="bench"))
    scenario.run_until_idle()
    real = CatalogService()

    def meanwhile() -> Iterator[None]:
        publish(draft("Beech chair", slug="chair"), draft("Pine stool", slug="stool"))
        real.withdraw_product(slug="bench")
        scenario.run_until_idle()
        yield

    with override(Catalog, Interrupted(real, meanwhile())):
        reindex()
    assert found("") == ["chair", "stool"]
    assert found("oak") == []


def test_reindexing_makes_up_for_lost_events(scenario: Scenario) -> None:
    shelves()
    publish(draft("Oak chair"), draft("Pine stool"), draft("Gone bench"), draft("Late lamp"))
    use(Catalog).withdraw_product(slug="gone-bench")
    alias = topology().alias("catalog")
    execute(alias, "DELETE FROM monolift_outbox WHERE module = 'catalog'")
    assert found("") == []
    reindex()
    assert found("") == ["late-lamp", "oak-chair", "pine-stool"]
    use(Catalog).withdraw_product(slug="late-lamp")
    execute(alias, "DELETE FROM monolift_outbox WHERE module = 'catalog'")
    assert "late-lamp" in found("")
    reindex()
    assert found("") == ["oak-chair", "pine-stool"]


def test_reindexing_again_changes_nothing(scenario: Scenario) -> None:
    publish(*(draft(f"Thing {number}") for number in range(12)))
    scenario.run_until_idle()
    before = list(models.Document.objects.order_by("slug").values())
    reindex()
    assert list(models.Document.objects.order_by("slug").values()) == before


def test_reindexing_goes_over_several_pages(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(indexing, "PAGE", 5)
    publish(*(draft(f"Thing {number:02}") for number in range(12)))
    reindex()
    assert "12 products are indexed." in capsys.readouterr().out
    assert page("thing").total == 12


def test_the_vocabulary_forgets_words_that_no_product_has(scenario: Scenario) -> None:
    publish(draft("Oaken chair", slug="chair"))
    scenario.run_until_idle()
    publish(draft("Beech chair", slug="chair"))
    scenario.run_until_idle()
    assert page("oakem").corrected == "", "a word that is gone is not proposed"
    assert {"oaken", "beech"} <= words()
    reindex()
    assert "oaken" not in words()
    assert "beech" in words()
    assert not models.Shortening.objects.filter(word="oaken").exists()
    assert page("beehc").corrected == "beech"


def test_renamed_categories_are_learnt_by_reindexing(scenario: Scenario) -> None:
    from modules.catalog.interface import Category

    shelves()
    publish(draft("Beaker", category="cups"))
    scenario.run_until_idle()
    use(Catalog).set_categories(
        categories=[Category(slug="cups", title="Tumblers", parent="kitchen")]
    )
    reindex()
    assert found("tumblers") == ["beaker"]
    assert found("mugs") == []


class Silent:
    """A catalog that does not answer."""

    def __getattr__(self, name: str) -> object:
        def refuse(**_: object) -> Product:
            raise Unavailable("catalog", "it does not answer")

        return refuse


def test_without_catalog_reindexing_says_so_in_one_line() -> None:
    with (
        override(Catalog, Silent()),
        pytest.raises(CommandError, match="run reindex_search again") as refused,
    ):
        reindex()
    assert "\n" not in str(refused.value)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_migration_can_be_taken_back_and_made_again() -> None:
    connection = connections[topology().alias("search")]
    nowhere, here = [("search", None)], [("search", "0001_initial")]
    MigrationExecutor(connection).migrate(nowhere)
    try:
        assert "search_document" not in connection.introspection.table_names()
        assert not [
            name for name in connection.introspection.table_names() if name.startswith("search_")
        ]
    finally:
        MigrationExecutor(connection).migrate(here)
    publish(draft("Oak chair"))
    indexing.refresh(slug="oak-chair")
    assert found("oak") == ["oak-chair"]


def test_sqlite_here_has_fts5() -> None:
    """Python's own SQLite may be built without it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        options = {row[0] for row in connection.execute("PRAGMA compile_options")}
    assert "ENABLE_FTS5" in options
