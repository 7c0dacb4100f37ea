"""Take a module out of this deployable while it is used, stage by stage, and bring it home.

    monolift lift inventory                        where it stands, and what comes next
    monolift lift inventory seal                   go on until this stage is done
    monolift lift inventory --through finish       all of them
    monolift lift inventory status --watch         look at it live
    monolift lift inventory resume                 end what was killed in its middle
    monolift lift inventory land                   bring it home, from any stage (abort is the same)

Each stage has a gate that may refuse, with the way out; killed anywhere, `resume` goes on. Run it
in the control deployable, beside the running system.
"""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monolift.lift.moving import Progress
    from monolift.lift.plan.stage import Lift, Stage
    from monolift.lift.plan.state import Standing

NEEDS_DJANGO = True

_ACTIONS = ("status", "resume", "abort", "land")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("module", help="its label")
    parser.add_argument(
        "action", nargs="?", default="", help="a stage, or status, resume, abort, land"
    )
    parser.add_argument("--through", metavar="STAGE", help="go on until this stage is done")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and change nothing"
    )
    parser.add_argument(
        "--watch", action="store_true", help="with status: look until it is at rest"
    )
    _add_number(parser, "--budget", 500.0, "MS", "how long a cut-over may hold writers up")
    _add_number(parser, "--watch-for", 5.0, "SECONDS", "how long a stage looks at what happens")
    _add_number(parser, "--start-within", 120.0, "SECONDS", "how long a service may take to start")
    parser.add_argument(
        "--despite", action="store_true", help="go on although assess found something in the way"
    )
    parser.add_argument(
        "--no-file",
        dest="write_file",
        action="store_false",
        help="let finish leave the topology's file alone",
    )
    from monolift.management.choices import add_format

    add_format(parser)


def _add_number(
    parser: argparse.ArgumentParser, flag: str, default: float, unit: str, what: str
) -> None:
    def number(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = -1.0
        if not 0 < found < 1e9:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
        return found

    parser.add_argument(
        flag, type=number, default=default, metavar=unit, help=f"{what} (default: %(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Do it; 1 with one line where a gate is shut."""
    import logging

    from monolift.lift.moving import Blocked, GaveUp, database_errors
    from monolift.lift.plan.stage import Lift, Wishes
    from monolift.management.choices import module_labels
    from monolift.management.errors import VerbError
    from monolift.truth.row import Overtaken

    for name in ("monolift", "grimp"):
        logging.getLogger(name).setLevel(logging.WARNING)  # what it does, it says itself
    known = module_labels(None)
    if options.module in _ACTIONS and options.module not in known:
        raise VerbError(
            f"Name the module first: monolift lift MODULE {options.module}. Installed: "
            f"{', '.join(known)}."
        )
    module_labels(options.module)
    if options.action and options.through:
        raise VerbError(
            f"Give a stage or --through, not both: {options.action!r}, {options.through!r}."
        )
    wishes = Wishes(
        budget=options.budget / 1000,
        watch_for=options.watch_for,
        start_within=options.start_within,
        write_file=options.write_file,
        despite=options.despite,
    )
    lift = Lift(module=options.module, evidence={}, wishes=wishes, say=print, watch=_Bar())
    try:
        lift.check_declared()
        return _act(lift, options)
    except (Blocked, GaveUp, Overtaken) as error:
        raise VerbError(str(error)) from None
    except database_errors() as error:
        reason = " ".join(str(error).split())
        raise VerbError(
            f"A database gave no answer: {reason}. Is it there, is this the data of the system "
            "that runs (MONOLIFT_DATA), and are its tables made (monolift prepare)? What was begun "
            "is gone on with by `resume`."
        ) from None


def _act(lift: "Lift", options: argparse.Namespace) -> int:
    from monolift.lift.plan import engine

    action = options.action
    if action == "resume":
        engine.resume(lift, report=_report)
    elif action in ("abort", "land"):
        engine.home(lift, report=_report)
    elif options.dry_run:
        return _dry_run(lift, options.through or action)
    elif action not in ("", "status") or options.through:
        engine.out(lift, through=options.through or action, report=_report)
    return _status(lift, watch=options.watch and action == "status", json=options.format == "json")


def _report(stage: "Stage", what: str) -> None:
    words = {"out": "", "home": ", taken back", "done": ": done"}
    print(f"{stage.name}{words[what]}", flush=True)


def _dry_run(lift: "Lift", through: str) -> int:
    from monolift.lift.plan import engine, state

    standing = state.current(lift.module)
    for stage in engine.ahead(lift, standing, through=through):
        print(f"{stage.name}")
        for line in stage.plan(lift):
            print(f"  {line}")
    return 0


def _status(lift: "Lift", *, watch: bool, json: bool) -> int:
    import time

    from monolift.lift.plan import state

    while True:
        standing = next((one for one in state.latest() if one.module == lift.module), None)
        print(_described(lift, standing, json=json), flush=True)
        if not watch or standing is None or not standing.doing:
            return 0
        time.sleep(0.5)


def _described(lift: "Lift", standing: "Standing | None", *, json: bool) -> str:
    from monolift.lift.plan.stages import stages_of
    from monolift.management.output import as_json, columns
    from monolift.registry.topology import topology

    known = topology()
    place = lift.place
    trial = place.trial
    if json:
        return as_json(
            {
                "module": lift.module,
                "epoch": known.epoch,
                "deployable": place.deployable,
                "database": place.alias,
                "trial": trial and {"deployable": trial.deployable, "mode": trial.mode},
                "stage": standing.stage if standing else "",
                "doing": standing.doing if standing else "",
                "ended": standing.ended if standing else False,
                "evidence": standing.evidence if standing else {},
            }
        )
    beside = f", and {trial.deployable} stands by ({trial.mode})" if trial else ""
    head = (
        f"{lift.module} is in {place.deployable} on {place.alias!r}{beside}. Epoch {known.epoch}."
    )
    if standing is None:
        return f"{head}\nIt was never lifted. Begin: monolift lift {lift.module} seal"
    stages = stages_of(lift)
    names = [stage.name for stage in stages]
    done = names.index(standing.stage) + 1 if standing.stage in names else 0
    rows = []
    for position, stage in enumerate(stages):
        state = "done" if position < done else ""
        if standing.doing.removeprefix("-") == stage.name:
            state = "being taken back" if standing.way_back else "under way"
        evidence = standing.evidence.get(stage.name) if state == "done" else None
        rows.append((stage.name, state, _short(evidence)))
    table = columns(("stage", "state", "evidence"), rows)
    if standing.ended:
        end = "It is at home." if place.here else "It is out."
    elif standing.doing:
        end = f"Go on: monolift lift {lift.module} resume"
    elif done < len(stages):
        end = (
            f"Next: monolift lift {lift.module} {stages[done].name}\n"
            f"Home: monolift lift {lift.module} land"
        )
    else:
        end = ""
    return f"{head}\n\n{table}\n\n{end}".rstrip()


def _short(evidence: Any) -> str:
    if not evidence:
        return ""
    flat: dict[str, Any] = {}
    for name, value in evidence.items():
        if isinstance(value, dict):
            flat |= value if name != "not told" else {}
        else:
            flat[name] = value
    shown = (
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in flat.items()
        if isinstance(value, int | float | str) and name != "at"
    )
    return ", ".join(shown)


class _Bar:
    """How far the copy is, on one line of a terminal; elsewhere a line now and then."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self, progress: "Progress") -> None:
        import sys
        import time

        done = progress.rows >= progress.total
        tty = sys.stdout.isatty()
        if not done and time.monotonic() - self._told < (0.1 if tty else 2.0):
            return
        self._told = time.monotonic()
        share = progress.rows / max(progress.total, 1)
        filled = int(share * 30)
        bar = "#" * filled + "." * (30 - filled)
        line = f"  [{bar}] {progress.rows} of {progress.total} rows, {progress.behind} changed"
        print(f"\r{line}\x1b[K" if tty else line, end="" if tty and not done else "\n", flush=True)
