"""The thresholds, with their defaults. `MONOLIFT["ADVICE"]` changes them by name."""

import re
from types import SimpleNamespace
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from monolift.registry.settings import setting

DEFAULTS: dict[str, float | str] = {
    # D1: couplings across the boundary.
    "COUPLINGS": 0,
    # D2: commits that change the contract, a month; days in which nothing breaks.
    "CONTRACT_CHANGES": 2,
    "STABLE_DAYS": 60,
    # D3, co-change across services: share of commits, days, files from which on it is a mass edit.
    "CO_CHANGE": 0.15,
    "HISTORY_DAYS": 180,
    "MASS_EDIT": 30,
    # Commits below which a share says nothing.
    "FEWEST_COMMITS": 10,
    # Commits of one ticket count as one: a regular expression found in the message, "PAY-[0-9]+".
    "TICKET": "",
    # D4: interface calls in a request and bytes of a call, both p95; lines that call in a loop.
    "CALLS_PER_REQUEST": 3,
    "BYTES_PER_CALL": 65536,
    "LOOPS": 0,
    # Requests below which their shares say nothing.
    "FEWEST_REQUESTS": 100,
    # D5: share of deploys held or reverted for another module; hours from merge to live, p50.
    "HELD": 0.10,
    "QUEUE_HOURS": 1,
    # Deploys below which their shares say nothing.
    "FEWEST_DEPLOYS": 10,
    # D6: share of CPU, and how many times the share of requests that is.
    "CPU_SHARE": 0.30,
    "CPU_RATIO": 3,
    # D7: incidents that took others down, in so many days.
    "INCIDENTS": 2,
    "QUARTER_DAYS": 91,
    # D8: people of the owning team, and the share of the module's commits that is theirs.
    "TEAM": 3,
    "TEAM_SHARE": 0.80,
    # D9: hours to a new process and database.
    "PROVISION_HOURS": 1,
    # D11: hours to live, share of deploys that fail, hours to restore.
    "LEAD_HOURS": 24,
    "FAILURES": 0.15,
    "RESTORE_HOURS": 1,
    # D9, D10, D12, dead switch: days after which a drill or a probe is too old.
    "DRILL_DAYS": 30,
    # Smells.
    "LOCK_STEP": 0.20,
    "LOCK_STEP_MINUTES": 30,
    "CHAIN": 2,
    "OBJECTIVE": 0.999,
    "SAME_METHOD": 5,
    "RETRIES": 0.10,
    "TEST_PROCESSES": 1,
    "SERVICES_PER_TEAM": 3,
}


class Thresholds(SimpleNamespace):
    """Each threshold by its name."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"There is no threshold {name!r}.")


def thresholds() -> Thresholds:
    """Those in force. Raises ImproperlyConfigured for an unknown name or a wrong value."""
    given = setting("ADVICE")
    if not isinstance(given, dict):
        raise ImproperlyConfigured(f"MONOLIFT['ADVICE'] is {given!r}: give a dict of thresholds.")
    for name, value in given.items():
        if name not in DEFAULTS:
            raise ImproperlyConfigured(
                f"MONOLIFT['ADVICE'] has no threshold {name!r}. It has: "
                f"{', '.join(sorted(DEFAULTS))}."
            )
        if name == "TICKET":
            _check_pattern(value)
        elif isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ImproperlyConfigured(
                f"MONOLIFT['ADVICE'][{name!r}] is {value!r}: give a number from 0."
            )
    return Thresholds(**(DEFAULTS | given))


def _check_pattern(value: Any) -> None:
    try:
        re.compile(value)
    except (re.error, TypeError) as error:
        raise ImproperlyConfigured(
            f"MONOLIFT['ADVICE']['TICKET'] is {value!r}: give a regular expression ({error})."
        ) from None
