"""`monolift startmodule`: what it refuses, and where it puts what."""

import subprocess
import sys
from pathlib import Path

import pytest

from monolift.boundaries.project import read_project
from monolift.management.console import main
from monolift.scaffold.errors import ScaffoldError
from monolift.scaffold.installed import install
from monolift.scaffold.layers import place
from monolift.scaffold.listed import list_module
from monolift.scaffold.module_files import camel

ORDER = """\
[importlinter:contract:order]
type = layers
containers =
    modules
layers =
    (storefront)
    (orders)
    ; beside each other
    (catalog) | (search)

[importlinter:contract:other]
type = independence
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one app of its own."""
    (tmp_path / "manage.py").write_text(
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")\n'
    )
    (tmp_path / "site1").mkdir()
    (tmp_path / "site1" / "settings.py").write_text('INSTALLED_APPS = [\n    "shop.stock",\n]\n')
    (tmp_path / "shop" / "stock").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    return tmp_path


def tree(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("Ship-ping", "--owner", "team-x"), "no name for a module"),
        (("class", "--owner", "team-x"), "a word of Python"),
        (("stock", "--owner", "team-x"), "a module 'stock' already"),
        (("json", "--owner", "team-x", "--in", ""), "Python's own module"),
        (("django", "--owner", "team-x", "--in", ""), "an installed package"),
        (("parcels", "--owner", "team x"), "names no team"),
        (("parcels", "--owner", "team-x", "--in", "nowhere"), "no folder nowhere"),
        (("parcels", "--owner", "team-x", "--above", "stock"), "no .importlinter"),
        (("parcels", "--owner", "team-x", "--settings", "site9.settings"), "Say --settings"),
        (("taken", "--owner", "team-x"), "shop/taken is there already"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    (project / "shop" / "taken").mkdir()
    before = tree(project)
    assert main(["startmodule", *arguments]) == 1
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert tree(project) == before


def test_without_an_owner_the_command_line_is_wrong(project: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["startmodule", "parcels"])
    assert ended.value.code == 2


def test_outside_of_a_project_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    assert main(["startmodule", "parcels", "--owner", "team-x"]) == 1
    assert "no manage.py" in capsys.readouterr().err


def test_a_dry_run_shows_and_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(project)
    assert main(["startmodule", "parcels", "--owner", "team-x", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "+++ b/shop/parcels/interface.py" in shown
    assert '+    "shop.parcels",' in shown
    assert tree(project) == before


def test_a_second_time_it_refuses(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["startmodule", "parcels", "--owner", "team-x"]) == 0
    before = {path: (project / path).read_text() for path in tree(project)}
    assert main(["startmodule", "parcels", "--owner", "team-x"]) == 1
    assert "'parcels' already" in capsys.readouterr().err
    assert {path: (project / path).read_text() for path in tree(project)} == before


def test_a_broken_settings_file_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "site1" / "settings.py").write_text("INSTALLED_APPS = [\n")
    assert main(["startmodule", "parcels", "--owner", "team-x"]) == 1
    assert "settings.py:1" in capsys.readouterr().err


PREFIXED = 'OWN = {}\nINSTALLED_APPS = ["x", *(f"shop.{{one}}" for one in OWN)]\n'
SHAPES = {
    "lines": (
        'INSTALLED_APPS = [\n    "a.b",\n    "shop.stock",  # ours\n]\n',
        'INSTALLED_APPS = [\n    "a.b",\n    "shop.stock",  # ours\n    "shop.new",\n]\n',
    ),
    "one line": (
        'INSTALLED_APPS = ["shop.stock"]\n',
        'INSTALLED_APPS = ["shop.stock", "shop.new"]\n',
    ),
    "no comma": (
        'INSTALLED_APPS = [\n    "shop.stock"\n]\n',
        'INSTALLED_APPS = [\n    "shop.stock",\n    "shop.new",\n]\n',
    ),
    "prefix": (
        PREFIXED.format('("stock", "orders")'),
        PREFIXED.format('("stock", "orders", "new")'),
    ),
    "empty": ("INSTALLED_APPS = []\n", 'INSTALLED_APPS = ["shop.new", ]\n'),
}


@pytest.mark.parametrize(("before", "after"), SHAPES.values(), ids=SHAPES)
def test_the_settings_keep_their_shape(before: str, after: str) -> None:
    siblings = ["shop.stock", "shop.orders"]
    assert install(before, package="shop.new", siblings=siblings, needed=()) == after


def test_what_the_module_needs_is_installed_as_well() -> None:
    source = 'INSTALLED_APPS = ["shop.stock", "monolift"]\n'
    changed = install(
        source, package="shop.new", siblings=["shop.stock"], needed=("monolift", "monolift.db")
    )
    assert changed == 'INSTALLED_APPS = ["shop.stock", "monolift", "shop.new", "monolift.db"]\n'


@pytest.mark.parametrize("source", ["", "INSTALLED_APPS = apps()\n", "INSTALLED_APPS += ['x']\n"])
def test_settings_without_a_plain_list_are_refused(source: str) -> None:
    with pytest.raises(ScaffoldError, match=r"no plain list of apps.*--no-settings"):
        install(source, package="shop.new", siblings=["shop.stock"], needed=())


@pytest.mark.parametrize(
    ("above", "below", "line"),
    [(None, None, 10), ("orders", None, 7), (None, "orders", 8), ("search", None, 9)],
)
def test_a_module_gets_its_place_in_the_order(
    above: str | None, below: str | None, line: int
) -> None:
    text = place(ORDER, name="new", folder="modules", above=above, below=below)
    lines = text.splitlines()
    assert lines.index("    (new)") == line - 1
    assert [one for one in lines if one != "    (new)"] == ORDER.splitlines()


def test_an_unknown_neighbour_is_named() -> None:
    with pytest.raises(ScaffoldError, match=r"'nobody' has no place.*catalog.*storefront"):
        place(ORDER, name="new", folder="modules", above="nobody", below=None)


LISTS = {
    "one line": (
        'modules = ["shop.stock", "x"]  # all',
        'modules = ["shop.stock", "x", "shop.new"]  # all',
    ),
    "lines": (
        'modules = [\n  "shop.stock",  # ours\n  # later: "y"\n]',
        'modules = [\n  "shop.stock",  # ours\n  "shop.new",\n  # later: "y"\n]',
    ),
    "no comma": (
        "modules = [\n    'shop.stock' # ours\n]",
        "modules = [\n    'shop.stock', # ours\n    \"shop.new\",\n]",
    ),
    "after others": (
        'bff = ["web"]\nmodules = [ "other.*" ]',
        'bff = ["web"]\nmodules = [ "other.*", "shop.new" ]',
    ),
    "a folder": ('modules = ["shop.*"]', 'modules = ["shop.*"]'),
    "by name already": ('modules = ["shop.new"]', 'modules = ["shop.new"]'),
    "no modules": ('settings = "site1.settings"', 'settings = "site1.settings"'),
}


@pytest.mark.parametrize(("before", "after"), LISTS.values(), ids=LISTS)
def test_the_list_of_modules_keeps_its_shape(before: str, after: str) -> None:
    """What only looks like the list of modules stays."""
    others = '# modules = []\n[tool.other]\nmodules = ["a"]\n\n'
    around = others + "[tool.monolift]  # ours\n{}\n\n[last]\nx = 1\n"
    for end in ("\n", "\r\n"):
        text = around.format(before).replace("\n", end)
        changed = list_module(text, package="shop.new")
        assert changed.replace("\r", "") == around.format(after)


@pytest.mark.parametrize("head", ["", "[tool.monolift]\n", "[tool.monolift]\nbff = []\n"])
def test_groups_alone_get_a_list_of_modules_beside_them(head: str) -> None:
    text = f'[project]\nname = "x"\n\n{head}[tool.monolift.groups]\nsales = ["shop.a"]\n'
    changed = list_module(text, package="shop.new")
    added = set(changed.splitlines()) - set(text.splitlines())
    assert added - {"[tool.monolift]"} == {'modules = ["shop.new"]'}
    assert list_module(changed, package="shop.new") == changed


@pytest.mark.parametrize(
    "text",
    [
        'tool = { monolift = { modules = ["shop.stock"] } }\n',
        '[tool]\nmonolift.modules = ["shop.stock"]\n',
        '[tool.monolift]\n  modules = ["shop.stock"]\n',
    ],
)
def test_a_list_of_modules_that_is_no_plain_one_is_refused(text: str) -> None:
    with pytest.raises(ScaffoldError, match=r"no plain list to put 'shop.new'.*at the start of a"):
        list_module(text, package="shop.new")


def test_the_guards_see_the_new_module_of_a_project_that_lists_its_modules(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.monolift]\nmodules = ["shop.stock"]\n')
    assert main(["startmodule", "parcels", "--owner", "team-x"]) == 0
    assert [one.label for one in read_project(root=project).modules] == ["parcels", "stock"]


def test_names_become_classes() -> None:
    assert camel("order_history") == "OrderHistory"


def test_the_verb_needs_no_django() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "monolift.management", "startmodule", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "django.db" not in done.stderr
