"""The worked example of the guide on assessing: its files, its commands, what they print."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from django.core.management import call_command
from pytest_django import Settings

from monolift.kernel import clock
from monolift.lift.advice.advice import CONDITIONS, FORCES
from monolift.lift.advice.assessment import advise
from monolift.lift.advice.material import Material
from monolift.lift.advice.smells import signs
from monolift.lift.advice.thresholds import DEFAULTS
from monolift.observe.seen import Counted, Line, Seen, Talk, Weighed
from tests.library.advice.conftest import MODULES, Repository

pytestmark = pytest.mark.django_db(databases="__all__")

WORLD = ("stock", "cards", "sales")
"""Modules that only tests have."""
GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "assess.md").read_text("utf-8")
TODAY = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> Iterator[Repository]:
    """The project of the example: a year old, its inventory busy."""
    with clock.travelling():
        clock.travel(TODAY - clock.now())
        root = tmp_path / "project"
        root.mkdir()
        monkeypatch.chdir(root)
        found = Repository(root)
        files = {f"modules/{name}/__init__.py": "" for name in MODULES}
        files["pyproject.toml"] = '[tool.monolift]\nmodules = ["modules.*"]\n'
        found.commit(files=files, days_ago=365)
        for number in range(20):
            other = ["modules/orders/models.py"] if number < 2 else []
            found.commit("modules/inventory/models.py", *other, days_ago=160 - 7 * number)
        for name, text in re.findall(r"`(\w+\.csv)`:\n\n```\n(.*?)```", GUIDE, re.DOTALL):
            (root / name).write_text(text)
        settings.MONOLIFT = {**settings.MONOLIFT, "DATA": root / "var"}
        (root / "var/observed").mkdir(parents=True)
        (root / "var/observed/1-1.json").write_bytes(msgspec.json.encode(seen()))
        yield found


def seen() -> Seen:
    """What the processes of the example have written."""
    return Seen(
        until=TODAY.timestamp(),
        guards={"sample": 2},
        requests=5000,
        cpu=80.0,
        modules={"inventory": Weighed(requests=600, cpu=34.0, calls={1: 500, 2: 80, 3: 20})},
        talk={"inventory.available": Talk(calls=720, bytes={9: 700, 12: 20})},
        lines=[
            Line(
                operation="inventory.available",
                place="modules/orders/services.py:88",
                requests=40,
                most=3,
                example="GET /basket",
            )
        ],
        counted=[
            Counted(
                caller="orders",
                operation="inventory.available",
                calls=11200,
                timed=700,
                seconds=1.4,
            ),
            Counted(
                caller="orders", operation="inventory.reserve", calls=800, timed=50, seconds=0.5
            ),
        ],
    )


@pytest.mark.parametrize("verb", ["assess inventory", "smells"])
def test_the_guide_prints_what_is_printed(
    project: Repository, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    shown = re.search(rf"```\n\$ manage\.py monolift ({verb}[^\n]*)\n(.*?)```", GUIDE, re.DOTALL)
    assert shown is not None
    capsys.readouterr()
    call_command("monolift", *shown[1].split())
    told = re.sub(rf"\b({'|'.join(WORLD)}), ", "", capsys.readouterr().out)
    printed = [line.strip() for line in told.splitlines()]
    place = 0
    for line in (one.strip() for one in shown[2].splitlines()):
        if line != "...":
            rest = "\n".join(printed[place:])
            assert line in printed[place:], f"{line!r} is not in what is printed then:\n{rest}"
            place = printed.index(line, place) + 1


def test_the_guide_names_all_that_is_measured(project: Repository) -> None:
    material = Material()
    advice = advise(material, "inventory")
    for one in advice.criteria:
        assert f"| {one.number} | {one.title} |" in GUIDE
    assert {one.number for one in advice.criteria} == {*CONDITIONS, *FORCES}
    for sign in signs(material):
        assert f"| {sign.name} |" in GUIDE
    for name in DEFAULTS:
        assert f"`{name}`" in GUIDE, name
