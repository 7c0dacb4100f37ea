"""The worked example of the guide on operating, as it happens."""

import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from modules.orders.interface import Order, Orders, OrderState
from modules.orders.sagas import Checkout
from modules.payments.provider.sandbox import SandboxProvider
from monolift import Unavailable, use
from monolift.testing.scenario import Scenario
from tests.shop import available, basket_with, card, charges, shelve, total_of

pytestmark = pytest.mark.django_db(databases="__all__")

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "operating.md").read_text("utf-8")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{3}  \+ *[\d.]+ s)?")


def check_out() -> Order:
    basket_id = basket_with()
    return use(Orders).check_out(
        basket_id=basket_id, expected_total=total_of(basket_id), card_token=card()
    )


def away(*_: object, **__: object) -> None:
    raise Unavailable("card network", "connection refused")


class Terminal:
    """Types a verb of the guide and compares what it prints, without ids, times and padding."""

    def __init__(self, capsys: pytest.CaptureFixture[str], names: dict[str, str]) -> None:
        self.capsys = capsys
        self.names = names

    def types(self, command: str) -> None:
        shown = re.search(rf"```\n\$ manage\.py monolift {command}\n(.*?)```", GUIDE, re.DOTALL)
        assert shown, f"The guide does not show {command!r}."
        for name, value in self.names.items():
            command = command.replace(name, value)
        self.capsys.readouterr()
        call_command("monolift", *command.split())
        printed = self.capsys.readouterr().out
        for name, value in self.names.items():
            printed = printed.replace(value, name)
        lines = [_plain(_TIME.sub("TIME", line)) for line in printed.splitlines()]
        wanted = [_plain(line) for line in shown[1].splitlines()]
        if "..." not in wanted:
            assert sorted(lines) == sorted(wanted)  # which was changed last is chance
            return
        place = 0
        for line in wanted:
            if line != "...":
                rest = "\n".join(lines[place:])
                assert line in lines[place:], f"{line!r} is not in what is printed then:\n{rest}"
                place = lines.index(line, place) + 1


def _plain(line: str) -> str:
    return " ".join(line.split())


def test_a_card_network_was_down_for_an_hour(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shelve()
    with monkeypatch.context() as network:
        network.setattr("modules.orders.services.service.WAIT", 0.5)
        network.setattr(SandboxProvider, "authorise", away)
        first = check_out()
        network.undo()
        network.setattr("modules.orders.services.service.WAIT", 0.5)
        network.setattr(SandboxProvider, "capture", away)
        second = check_out()
        network.setattr(SandboxProvider, "authorise", away)
        assert (first.state, second.state) == (OrderState.PROCESSING, OrderState.PLACED)
        scenario.travel(seconds=59)
        assert stuck() == 0
        for _ in range(5):
            scenario.travel(minutes=1)
        assert stuck() == 2, "about four minutes later"
        assert [state for state, _ in charges()] == ["authorised"]
        names = {}
        for number, order in enumerate((first, second), start=1):
            run = Checkout.find(key=str(order.id))
            assert run is not None
            names |= {f"ID{number}": str(run.id), f"KEY{number}": run.key}
        terminal = Terminal(capsys, names)
        terminal.types("sagas list --status stuck")
        terminal.types("sagas show ID2")
        for _ in range(11):
            scenario.travel(minutes=5)
    terminal.types("sagas retry --stuck orders.checkout")
    scenario.run_until_idle()
    terminal.types("sagas list")
    orders = use(Orders)
    assert orders.order(order_id=first.id).state is OrderState.FAILED
    assert orders.order(order_id=second.id).state is OrderState.PAID
    assert sorted(charges()) == [("captured", 1200), ("voided", 1200)]
    assert available() == 9


def stuck() -> int:
    """How many checkouts rest."""
    from monolift.db.models import SagaRow
    from monolift.registry.topology import topology

    rows = SagaRow.objects.using(topology().alias("orders"))
    return rows.filter(status="stuck").count()


def test_a_decision_names_a_saga() -> None:
    with pytest.raises(CommandError, match="Which saga"):
        call_command("monolift", "sagas", "retry")
    with pytest.raises(CommandError, match=r"no saga called 'nope'\. Installed: orders"):
        call_command("monolift", "sagas", "retry", "--stuck", "nope")


def test_nothing_stuck_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("monolift", "sagas", "retry", "--stuck", "orders.checkout")
    assert "No orders.checkout is stuck." in capsys.readouterr().out
