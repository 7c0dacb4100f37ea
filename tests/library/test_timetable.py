"""Tasks that come round: at their times, once each, never two side by side."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monolift import atomic, task
from monolift.events import handling, tasks, timetable
from monolift.events.tasks import Task
from monolift.kernel import DeclarationError, clock
from monolift.registry.settings import setting
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from monolift.testing.scenario import Scenario
from tests.library.relaying import claim
from tests.library.world.sales.models import Mail
from tests.library.world.stock import faults

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def hourly() -> Iterator[Task[[]]]:
    """A task of sales that comes round every hour."""

    def tidy() -> None:
        with atomic():
            Mail.objects.create(about="tidied", key="")
            faults.reach("tidy")

    tidy.__module__ = "tests.library.world.sales.tasks"
    made = task(every="0 * * * *")(tidy)
    yield made
    tasks._tasks.remove(made)


def plan() -> list[str]:
    """What of sales was planned. Modules of the shop on its database have tasks as well."""
    planned = timetable.plan(topology().alias("sales"))
    return [name for name in planned if name.startswith("sales.")]


def rows() -> list[tuple[Any, ...]]:
    sql = "SELECT state, key FROM monolift_delivery WHERE subscriber = 'sales.tidy' ORDER BY due_at"
    return fetch(topology().alias("sales"), sql)


def tidied() -> int:
    return Mail.objects.filter(about="tidied").count()


def past_the_hour() -> None:
    clock.travel(timedelta(hours=1))


@pytest.mark.usefixtures("hourly")
def test_it_comes_round(scenario: Scenario) -> None:
    for number in range(3):
        assert plan() == ["sales.tidy"]
        scenario.run_until_idle()
        assert tidied() == number, "not before its time"
        past_the_hour()
        scenario.run_until_idle()
        assert tidied() == number + 1


@pytest.mark.usefixtures("hourly")
def test_however_often_it_is_planned_it_runs_once(scenario: Scenario) -> None:
    assert plan() == ["sales.tidy"]
    assert plan() == plan() == []
    past_the_hour()
    assert plan() == [], "the one that is due comes first"
    scenario.run_until_idle()
    scenario.run_until_idle()
    assert tidied() == 1


@pytest.mark.usefixtures("hourly")
def test_the_next_one_waits_for_the_end_of_the_one_before(scenario: Scenario) -> None:
    """Also when that one runs longer than its interval."""
    plan()
    past_the_hour()
    running = claim()
    past_the_hour()
    assert plan() == []
    handling.run(topology().alias("sales"), running)
    assert plan() == ["sales.tidy"]


@pytest.mark.usefixtures("hourly")
def test_one_that_failed_stays_and_holds_up_none_after_it(scenario: Scenario) -> None:
    def act() -> None:
        raise RuntimeError("broken")

    faults.planned["tidy"] = [act] * setting("ATTEMPTS")
    plan()
    past_the_hour()
    for _ in range(setting("ATTEMPTS") + 1):
        scenario.travel(minutes=1)
    assert scenario.failed_deliveries() == ["sales.tidy: RuntimeError: broken"]
    assert plan() == ["sales.tidy"]
    past_the_hour()
    scenario.run_until_idle()
    assert tidied() == 1
    assert [state for state, _ in rows()] == ["failed", "done"]


@pytest.mark.usefixtures("hourly")
def test_a_clock_that_steps_runs_nothing_twice(scenario: Scenario) -> None:
    """Case B20: a day forward makes up for one time, an hour back for none."""
    plan()
    clock.travel(timedelta(days=1))
    scenario.run_until_idle()
    plan()
    assert tidied() == 1
    clock.travel(timedelta(hours=-1))
    assert plan() == []
    scenario.run_until_idle()
    assert tidied() == 1


def next_times(line: str, zone: str, after: str, count: int) -> list[str]:
    def never() -> None: ...

    made = task(every=line, zone=zone)(never)
    tasks._tasks.remove(made)
    at, found = datetime.fromisoformat(after), []
    for _ in range(count):
        at = made.next_after(at)
        found.append(at.strftime("%Y-%m-%d %H:%M"))
    return found


NIGHTS = {
    # Half past two is skipped: right after the change.
    "spring": ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", "03-29 01:00", "03-30 00:30"),
    # It comes twice: once.
    "autumn": ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", "10-25 00:30", "10-26 01:30"),
    "leap day": ("0 0 29 2 *", "UTC", "2026-01-01T00:00Z", "02-29 00:00", "02-29 00:00"),
    "31st": ("0 0 31 * *", "UTC", "2026-01-31T00:00Z", "03-31 00:00", "05-31 00:00"),
    "quarters": ("0 9 * * 1", "Asia/Kathmandu", "2026-11-23T00:00Z", "11-23 03:15", "11-30 03:15"),
    # Samoa had no 30 December in 2011.
    "no day": ("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00Z", "12-30 10:00", "12-29 22:00"),
}


@pytest.mark.parametrize(("line", "zone", "after", "first", "second"), NIGHTS.values(), ids=NIGHTS)
def test_nights_and_days_that_are_not_as_others(
    line: str, zone: str, after: str, first: str, second: str
) -> None:
    assert [time[5:] for time in next_times(line, zone, after, 2)] == [first, second]


@settings(max_examples=25, deadline=None)
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    day=st.integers(0, 3000),
)
def test_a_daily_task_comes_once_a_day(zone: str, hour: int, minute: int, day: int) -> None:
    start = datetime(2024, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)
    times = next_times(f"{minute} {hour} * * *", zone, start.isoformat(), 10)
    assert sorted(set(times)) == times
    first, last = (datetime.fromisoformat(one) for one in (times[0], times[-1]))
    assert timedelta(days=8, hours=22) <= last - first <= timedelta(days=9, hours=2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"every": "every day"}, "no line of cron.*every="),
        ({"every": "0 25 * * *"}, "no line of cron"),
        ({"every": "0 0 31 2 *"}, "no line of cron|never comes"),
        ({"every": "0 0 * * *", "zone": "Mars/Base"}, "no time zone.*Europe/Berlin"),
        ({"zone": "UTC"}, "needs every="),
    ],
)
def test_a_wrong_schedule_fails_where_it_is_declared(options: dict[str, str], told: str) -> None:
    def never() -> None: ...

    with pytest.raises(DeclarationError, match=f"(?s){told}"):
        task(**options)(never)


def test_a_task_that_comes_round_has_no_parameters() -> None:
    def wrong(*, key: str) -> None: ...

    with pytest.raises(DeclarationError, match="nobody gives it parameters"):
        task(every="0 0 * * *")(wrong)
