"""Breaking changes that were decided: `contracts/accepted.toml`, written by hand.

    [[accepted]]
    contract = "orders/orders.v1.json"
    change = "set_delivery was removed"        # the words of `monolift contracts check`
    reason = "Unused since release 12; the call matrix of 30 days shows no call."

The entries stay, as the history of what was broken and why. One counts only for the change that it
came with: once it is in the commit compared with, a later change of the same words needs its own.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from monolift.contracts.compare import ACCEPTED
from monolift.contracts.rules import Change
from monolift.contracts.schema import ContractError

_FIELDS = ("contract", "change", "reason")


class Acceptance(NamedTuple):
    """One decision."""

    contract: str
    change: str
    reason: str


def parse(text: str, *, where: str) -> list[Acceptance]:
    """The entries of a file; ContractError when one is not whole."""
    try:
        entries = tomllib.loads(text).get("accepted", [])
    except tomllib.TOMLDecodeError as error:
        raise ContractError(f"{where} is not TOML: {error}.") from None
    if not isinstance(entries, list):
        raise ContractError(f"{where}: write each entry below a line [[accepted]].")
    for number, entry in enumerate(entries, start=1):
        for field in _FIELDS:
            if not str(entry.get(field, "")).strip():
                raise ContractError(f"{where}: entry {number} has no {field}. Add it.")
    return [Acceptance(*(str(entry[field]) for field in _FIELDS)) for entry in entries]


def new_entries(now: Iterable[Acceptance], before: Iterable[Acceptance]) -> list[Acceptance]:
    """The entries that came since."""
    known = Counter((one.contract, one.change) for one in before)
    found = []
    for entry in now:
        known[entry.contract, entry.change] -= 1
        if known[entry.contract, entry.change] < 0:
            found.append(entry)
    return found


def covers(entries: Iterable[Acceptance], change: Change) -> Acceptance | None:
    """The entry that accepts a change, if there is one."""
    matching = (one for one in entries if (one.contract, one.change) == change[:1] + change[2:3])
    return next(matching, None)


def suggestion(changes: Iterable[Change]) -> str:
    """What to add to the file to accept changes, with the reasons left to write."""
    return "\n".join(
        f"[[accepted]]\ncontract = {_quoted(one.contract)}\nchange = {_quoted(one.words)}\n"
        f'reason = ""\n'
        for one in changes
    )


def _quoted(text: str) -> str:
    return "'''" + text + "'''" if '"' in text or "\\" in text else f'"{text}"'


__all__ = ["ACCEPTED", "Acceptance", "covers", "new_entries", "parse", "suggestion"]
