"""The topology file: what it may say, what it may not, and what follows from it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from monolift.events.pools import pools
from monolift.kernel import CallRefused
from monolift.registry import topology as registry
from monolift.registry.topology import modules_on, topology, urls
from monolift.registry.topology_file import declared
from monolift.transport import trust
from tests.library.world.stock.models import Item

GOOD = """
[deployables.shop]
[deployables.warehouse]
url = "http://warehouse:8000"
[modules.stock]
deployable = "warehouse"
"""


@pytest.fixture
def written(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """A topology file that the settings name."""
    file = tmp_path / "topology.toml"
    file.write_text(GOOD)
    settings.MONOLIFT = {**settings.MONOLIFT, "TOPOLOGY": file, "URLS": {}, "KEYS": ()}
    registry.reset()
    yield file
    registry.reset()


def test_a_module_elsewhere_is_called_by_http(written: Path) -> None:
    place = topology().place("stock")
    assert (place.deployable, place.route) == ("warehouse", "http")
    assert urls() == {"warehouse": "http://warehouse:8000"}
    assert topology().hosts("sales")
    assert not topology().hosts("stock")


def test_here_is_what_the_environment_says(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written.write_text(GOOD.replace("[deployables.shop]", '[deployables.shop]\nurl = "http://s"'))
    text = written.read_text()
    others = (label for label in registry.modules() if label != "stock")
    written.write_text(text + "".join(f'[modules.{one}]\ndeployable = "shop"\n' for one in others))
    monkeypatch.setenv("MONOLIFT_DEPLOYABLE", "warehouse")
    registry.reset()
    assert topology().hosts("stock")
    assert not topology().hosts("sales")
    assert modules_on(topology().alias("stock")) == ["stock"]
    assert [pool.modules for pool in pools()] == [("stock",)]


def test_the_setting_says_where_before_the_file(written: Path, settings: Settings) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "URLS": {"warehouse": "http://other:1"}}
    assert urls() == {"warehouse": "http://other:1"}


def test_replicas_are_the_fewest_and_the_most(written: Path) -> None:
    written.write_text(GOOD.replace("[modules.stock]", "replicas = [3, 9]\n[modules.stock]"))
    assert topology().deployables["warehouse"].replicas == (3, 9)


@pytest.mark.django_db(databases="__all__")
def test_a_model_of_a_module_elsewhere_is_refused(written: Path) -> None:
    with pytest.raises(CallRefused, match=r"stock and its tables are in 'warehouse'\. Call its"):
        Item.objects.count()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("[modules.stock]", "[modules.stok]"), r"\[modules.stok\] is not an installed module"),
        (('deployable = "warehouse"', 'deployable = "attic"'), r"runs in 'attic', which \[deploy"),
        (
            ('deployable = "warehouse"', 'deploiable = "shop"'),
            r"has 'deploiable'\. It may have: da",
        ),
        (("[deployables.shop]", "[deployables.office]"), r"this process is the deployable 'shop'"),
        (('url = "http://warehouse:8000"', ""), "nothing says where that is"),
        (("http://warehouse:8000", "warehouse:8000"), r"url is 'warehouse:8000': give a URL"),
        (("http://warehouse:8000", "file:///etc/passwd"), "give a URL"),
        (("http://warehouse", "http://shop:s3cret@warehouse"), "'warehouse' has a user"),
        (("http://warehouse:8000", "http://warehouse:8000?a=1"), "without the query"),
        (("http://warehouse:8000", "consul://127.0.0.1:8500"), "the name of one service"),
        (("http://warehouse:8000", "consul://a/b/c"), "the name of one service"),
        (("http://warehouse:8000", "consul://a/b?token=1"), "the name of one service"),
        (("[modules.stock]", 'resilience = "none"\n[modules.stock]'), "choose from own, mesh"),
        (("[modules.stock]", "replicas = 3\n[modules.stock]"), r"replicas is 3: give the fewest"),
        (("[modules.stock]", "replicas = [4, 2]\n[modules.stock]"), r"replicas is \[4, 2\]: give"),
        (("[modules.stock]", "replicas = [0, 2]\n[modules.stock]"), r"replicas is \[0, 2\]: give"),
        (("[modules.stock]", "replicas = [true, 2]\n[modules.stock]"), r"replicas is \[True, 2\]"),
        (("[modules.stock]", 'uri = "x"\n[modules.stock]'), r"has 'uri'\. It may have"),
        (("[deployables.shop]", "[places.shop]\n[deployables.shop]"), r"\[places\] is none of"),
        (("[modules.stock]", "[modules.stock"), "is not valid TOML"),
        (("http://warehouse:8000", "http://ware house:8000"), "'ware house' is no host"),
        (("http://warehouse:8000", "http://warehouse:0"), "nothing listens on port 0"),
        ((GOOD, 'deployables = "shop"'), r"deployables is no table of tables: write \[deploya"),
        ((GOOD, 'deployables.shop = "here"'), r"\[deployables.shop\] is 'here', which is no ta"),
        ((GOOD, 'databases = ["attic"]'), r"databases is no table of tables: write \[databases\."),
        ((GOOD, "databases.attic = true"), r"\[databases.attic\] is True, .*it has: nothing"),
        (("[modules.stock]", '[[modules]]\nname = "stock"'), r"modules is no table of tables"),
        (("[modules.stock]", '[modules]\nstock = "a"'), r"\[modules.stock\] is 'a', which is no"),
        (('= "warehouse"', '= ["warehouse"]'), r"deployable is \['warehouse'\]: give one name"),
        (('"warehouse"\n', '"warehouse"\ndatabase = ["a"]\n'), r"database is \['a'\]: give one"),
        (('"warehouse"\n', '"warehouse"\ndatabase = 5\n'), r"database is 5: give one name"),
        (
            ("[deployables.shop]", '[deployables.shop]\n[deployables."order service"]'),
            "order service.*a signed request cannot name it",
        ),
        (('"warehouse"\n', '"warehouse"\ndatabase = "attic"\n'), "which DATABASES lacks"),
    ],
    ids=lambda value: value[1][:24] if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_named(
    written: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], problem: str
) -> None:
    assert change[0] in GOOD
    monkeypatch.delenv("MONOLIFT_DATABASES", raising=False)  # it says where before the file
    written.write_text(GOOD.replace(*change))
    with pytest.raises(ImproperlyConfigured, match=problem):
        declared()


def test_a_missing_file_is_named(written: Path) -> None:
    written.unlink()
    with pytest.raises(ImproperlyConfigured, match="which is missing"):
        declared()


def test_a_file_that_cannot_be_read_is_named(written: Path) -> None:
    written.write_bytes(b"[deployables.shop]\n# caf\xe9\n")
    with pytest.raises(ImproperlyConfigured, match=r"is not UTF-8.*byte 24"):
        declared()
    written.unlink()
    written.mkdir()
    with pytest.raises(ImproperlyConfigured, match="cannot be read: Is a directory"):
        declared()


SHOP = {"id": "shop-1", "secret": "k" * 32, "issuer": "shop"}


@pytest.mark.django_db(databases="__all__")  # which the check of models opens
@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ([SHOP, {**SHOP, "secret": "n" * 32}], "Two keys are called 'shop-1'"),
        ([{**SHOP, "id": "shop 2026"}], "The id of a key has other characters"),
        ([{**SHOP, "id": 7}], "The id of a key has other characters"),
        ([{**SHOP, "issuer": None}], "The issuer of a key has other characters"),
        ([{**SHOP, "audience": "ware house"}], "The audience of a key has other characters"),
        ([{**SHOP, "secret": "short"}], "has 5 bytes; give at least 32"),
    ],
    ids=["one id twice", "a space", "a number", "no issuer", "a receiver", "a short secret"],
)
def test_a_key_that_is_no_good_is_told_by_a_check(
    settings: Settings, keys: list[dict[str, object]], told: str
) -> None:
    """Case G60: not by each request, as an error or as one that nobody signed."""
    settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": keys}
    with pytest.raises(SystemCheckError, match=told):
        call_command("check")
    with pytest.raises(ImproperlyConfigured, match=told):
        trust.keys()
    settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": [{**SHOP, "audience": None}]}
    call_command("check")


def test_check_says_what_is_missing(
    written: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        call_command("monolift", "topology", "check")
    assert "stock in warehouse: no key of ours" in capsys.readouterr().out
    key = {"id": "shop-1", "secret": "k" * 32, "issuer": "shop"}
    settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": [key]}
    trust.forget()
    call_command("monolift", "topology", "check")
    assert "can be reached" in capsys.readouterr().out


def test_explain_says_what_a_call_would_do(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("monolift", "topology", "explain", "stock", "--format", "json")
    told = json.loads(capsys.readouterr().out)
    assert told["a call goes"] == "signed HTTP to http://warehouse:8000"
    assert "sales.selling.hold_first" in told["saga steps that call it"]
    without = {call["operation"]: call["without"] for call in told["calls"]}
    assert without["stock.levels"] == "asked again"
    assert without["stock.hold"] == "repeated under its key"
    call_command("monolift", "topology", "explain", "sales")
    assert "in this process" in capsys.readouterr().out
