"""Whatever is killed in whichever stage of a lift on PostgreSQL, one `resume` puts it right.

`MONOLIFT_LIFT_FAULTS` says how many faults, `MONOLIFT_CHAOS_SEED` which. Out, each stage gets one
of its own; home, one stage of the way does. After each the module is where the lift's row says,
before the stage or behind it, and each command that was acknowledged is there once.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.chaos.lifting import Lifting, Tool, missing, number
from tests.library.running import eventually

FAULTS = number("MONOLIFT_LIFT_FAULTS", 6)
SEED = number("MONOLIFT_CHAOS_SEED", 7)
STAGES = (
    "seal", "rehearse", "serve", "shadow", "canary", "remote", "copy", "cutover", "soak", "finish",
)  # fmt: skip
VICTIMS = {
    "tool": ("tool",),
    "tool and worker": ("tool", "shop worker"),  # nobody goes on by itself
    "worker": ("shop worker",),
    "web": ("shop web",),
    "service's web": ("stock web",),
    "service's worker": ("stock worker",),
    "server at home": ("home",),
    "server away": ("away",),
}
# Seconds that a stage takes: a fault comes within them.
_LONG = {
    "rehearse": 1.5, "canary": 1.2, "copy": 5.0, "cutover": 5.0, "-cutover": 4.0, "-copy": 1.5,
}  # fmt: skip
_BUSY = "Somebody works on the lift"


class Fault(NamedTuple):
    """What happens when."""

    stage: str
    """Where in it: `-cutover` is on the way home."""
    victim: str
    share: float
    """How much of the stage has gone by."""
    in_fence: int
    """Or: as often as this somebody has taken the fence; 0 for by the clock."""

    def __str__(self) -> str:
        moment = f"fence {self.in_fence}" if self.in_fence else f"{self.share:.2f}"
        return f"{self.stage} {moment}: {self.victim}"


def planned(count: int, seed: int) -> Iterator[list[Fault]]:
    """Trips out, each with its faults; the last of a trip is on its way home."""
    chance = random.Random(seed)

    def fault(stage: str) -> Fault:
        victim = chance.choice(sorted(VICTIMS))
        share = chance.random()
        cuts = stage.endswith("cutover") and chance.random() < 0.5
        return Fault(stage, victim, share, chance.choice((1, 2)[: 2 - (stage[0] == "-")]) * cuts)

    while count > 0:
        most = min(max(count - 1, 1), len(STAGES))
        chosen = sorted(chance.sample(range(len(STAGES)), most)) if most < len(STAGES) else range(
            len(STAGES)
        )  # fmt: skip
        last = max(chosen)
        home = chance.choice([stage for stage in STAGES[: last + 1] for _ in
                              range(4 if stage in ("cutover", "copy") else 1)])  # fmt: skip
        trip = [*(fault(STAGES[position]) for position in chosen), fault(f"-{home}")]
        yield trip
        count -= len(trip)


@pytest.fixture
def system() -> Iterator[Lifting]:
    """All that takes part."""
    with tempfile.TemporaryDirectory(prefix="monolift-lifting-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        made = Lifting(folder)
        try:
            yield made
        finally:
            made.stop()


@pytest.mark.slow
@pytest.mark.skipif(bool(missing()), reason=missing() or "installed")
def test_one_resume_and_all_is_there_once(system: Lifting) -> None:
    done: list[Fault] = []
    wrong: list[str] = []
    for trip in planned(FAULTS, SEED):
        for fault in trip:
            found = _suffer(system, fault)
            done.append(fault)
            sys.stdout.write(f"{len(done)} {fault}: {found or 'ok'}\n")
            sys.stdout.flush()
            wrong += [f"{fault}: {one}" for one in found]
    assert _landed(system)
    system.stop_client()
    keys = system.keys()
    mails = "SELECT key, count(*) FROM sales_mail WHERE about = 'filled' GROUP BY key"
    eventually(
        lambda: len(system.ask(mails)) >= len(keys), seconds=120, what=f"{len(keys)} are announced"
    )
    announced = {key.partition(":")[0]: count for key, count in system.ask(mails)}
    wrong += [f"{key} is announced {announced.get(key, 0)} times" for key in keys
              if announced.get(key) != 1]  # fmt: skip
    sys.stdout.write(
        f"{len(done)} faults with seed {SEED}, {len(keys)} commands acknowledged, "
        f"{len(wrong)} things wrong\n"
        f"by what: {_counted(fault.victim for fault in done)}\n"
        f"by stage: {_counted(fault.stage for fault in done)}\n"
    )
    assert not wrong, "\n".join(wrong)


def _suffer(system: Lifting, fault: Fault) -> list[str]:
    """One fault, and one `resume`; what is wrong then."""
    tool = system.tool(*(["land"] if fault.stage[0] == "-" else [fault.stage]))
    wrong = []
    if tool.wait_for(fault.stage):
        _await_moment(system, fault, tool)
        for victim in VICTIMS[fault.victim]:
            tool.kill() if victim == "tool" else system.kill(victim)
        if "server" in fault.victim:
            time.sleep(fault.share)
        for victim in VICTIMS[fault.victim]:
            if victim in ("home", "away"):
                system.start(victim)
    else:
        wrong.append(f"it did not get there: {tool.said[-500:]}")
    code = tool.end()
    if "Traceback" in tool.said:
        wrong.append(f"a traceback: {tool.said[-700:]}")
    for victim in VICTIMS[fault.victim]:
        if victim not in ("home", "away", "tool"):
            system.start(victim)
    if code != 0:
        wrong += _resume(system)
    return wrong + _state(system) + _audit(system)


def _await_moment(system: Lifting, fault: Fault, tool: Tool) -> None:
    if not fault.in_fence:
        time.sleep(fault.share * _LONG.get(fault.stage, 0.4))
        return
    seen, before = 0, False
    with system.session("away" if fault.stage[0] == "-" else "home") as session:
        while tool.running and fault.stage not in tool.ended:
            [(held,)] = session.execute(
                "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' "
                "AND mode = 'ExclusiveLock' AND granted"
            ).fetchall()
            seen += held and not before
            before = held
            if seen == fault.in_fence:
                time.sleep(fault.share * 0.25)
                return
            time.sleep(0.002)


def _resume(system: Lifting) -> list[str]:
    while True:
        tool = system.tool("resume")
        if tool.end() == 0 or "No lift of stock is open" in tool.said:
            return []
        if _BUSY not in tool.said:  # a worker has taken it up by itself
            return [f"resume: {tool.said[-1500:]}"]
        time.sleep(0.5)


def _landed(system: Lifting) -> bool:
    tool = system.tool("land")
    return tool.end() == 0 or "is at home" in tool.said


def _state(system: Lifting) -> list[str]:
    """Where the module is, and where the lift's row says."""
    rows = system.ask(
        "SELECT stage, doing, ended_at IS NOT NULL FROM monolift_lift ORDER BY created_at DESC "
        "LIMIT 1"
    )
    stage, doing, _ = rows[0] if rows else ("", "", False)
    alias = _alias(system)
    wanted = ("stock_away" if stage in STAGES[STAGES.index("cutover") :] else
              "stock" if stage in STAGES else "default")  # fmt: skip
    wrong = []
    if doing:
        wrong.append(f"{doing} is under way still")
    if alias != wanted:
        wrong.append(f"it is on {alias!r} after {stage!r}")
    if alias != "default":
        fences = {
            "stock": _is_open(system, "home"),
            "stock_away": _is_open(system, "away"),
        }
        if fences != {name: name == alias for name in fences}:
            wrong.append(f"it is on {alias!r}, and open are {fences}")
    return wrong


def _alias(system: Lifting) -> str:
    rows = system.ask(
        "SELECT document::json -> 'places' -> 'stock' ->> 'database' FROM monolift_truth "
        "ORDER BY epoch DESC LIMIT 1"
    )
    return str(rows[0][0]) if rows else "default"


def _is_open(system: Lifting, server: str) -> bool:
    if system.ask("SELECT to_regclass('monolift_fence')", server) == [(None,)]:
        return False
    return (True,) in system.ask("SELECT open FROM monolift_fence WHERE module = 'stock'", server)


def _audit(system: Lifting) -> list[str]:
    """What is lost of what was acknowledged, and what was done twice."""
    before = len(system.keys())
    eventually(lambda: len(system.keys()) > before + 2, what="the client is served")
    keys = system.keys()
    server = "away" if _alias(system) == "stock_away" else "home"
    there = dict(system.ask('SELECT sku, "left" FROM stock_item', server))
    lost = [key for key in keys if key not in there]
    doubled = [key for key, count in there.items() if count > 1]
    mails = system.ask(
        "SELECT key FROM sales_mail WHERE about = 'filled' GROUP BY key HAVING count(*) > 1"
    )
    return [
        *([f"LOST {len(lost)}: {_some(lost)}"] if lost else []),
        *([f"DOUBLED {len(doubled)}: {_some(doubled)}"] if doubled else []),
        *([f"ANNOUNCED TWICE {len(mails)}"] if mails else []),
    ]


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in Counter(names).most_common())


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5])
