"""Going through the stages, out and home, and going on where somebody was killed."""

from collections.abc import Callable, Sequence

from monolift.lift.moving import Blocked
from monolift.lift.plan import state
from monolift.lift.plan.stage import Lift, Stage
from monolift.lift.plan.stages import stages_of
from monolift.lift.plan.state import Held, Standing

type Report = Callable[[Stage, str], None]
"""Called when a stage begins ("out" or "home"), and when it is done ("done")."""


def out(lift: Lift, *, through: str, report: Report) -> Standing:
    """Go on, or begin, until a stage is done.

    A stage that was left in the middle is ended first. Raises Blocked where a gate is shut.
    """
    lift.check_declared()
    stages = stages_of(lift)
    last = _index(stages, through)
    standing = state.current(lift.module)
    if standing is None and not lift.place.here:
        raise Blocked(
            f"{lift.module} is out already, in {lift.place.deployable!r}. "
            f"`monolift lift {lift.module} land` brings it home."
        )
    standing = standing or state.begin(lift.module)
    with state.held(standing) as mine:
        if standing.way_back:
            raise Blocked(
                f"{lift.module} is on its way home. End that first: "
                f"`monolift lift {lift.module} resume`."
            )
        for stage in stages[_done(stages, standing) : last + 1]:
            _forward(lift, stage, mine, report)
        if standing.stage == stages[-1].name:
            mine.ends()
    return standing


def ahead(lift: Lift, standing: Standing | None, *, through: str) -> list[Stage]:
    """The stages that `out` would go through: all that are left, if `through` is empty."""
    stages = stages_of(lift)
    done = _done(stages, standing) if standing else 0
    return stages[done : _index(stages, through) + 1 if through else None]


def home(lift: Lift, *, report: Report) -> Standing:
    """Take all that was done back, from the last stage to the first."""
    lift.check_declared()
    standing = state.current(lift.module)
    if standing is None:
        if lift.place.here and lift.place.trial is None and lift.place.alias != lift.alias:
            raise Blocked(f"{lift.module} is at home, and no lift of it is open.")
        standing = state.begin(lift.module, stage=stages_of(lift)[-1].name)
    with state.held(standing) as mine:
        _back(lift, mine, report)
    return standing


def resume(lift: Lift, *, report: Report) -> Standing:
    """End the stage that somebody was killed in, or its gate; on the way home, all of the way."""
    lift.check_declared()
    standing = state.current(lift.module)
    if standing is None:
        raise Blocked(f"No lift of {lift.module} is open: there is nothing to go on with.")
    with state.held(standing) as mine:
        if standing.way_back:
            _back(lift, mine, report)
        elif standing.doing:
            stages = stages_of(lift)
            _forward(lift, stages[_index(stages, standing.doing)], mine, report)
            if standing.stage == stages[-1].name:
                mine.ends()
        else:
            stages = stages_of(lift)
            for stage in stages[_done(stages, standing) :][:1]:
                stage.mend(lift)
    return standing


def _forward(lift: Lift, stage: Stage, mine: Held, report: Report) -> None:
    report(stage, "out")
    _gives(lift, mine, stage.name)
    if mine.standing.doing != stage.name:
        stage.gate(lift)
        mine.starts(stage.name)
    mine.done(stage.name, stage.apply(lift), of=stage.name)
    report(stage, "done")


def _back(lift: Lift, mine: Held, report: Report) -> None:
    stages = stages_of(lift)
    standing = mine.standing
    begun = standing.doing.removeprefix("-")
    count = max(_done(stages, standing), _index(stages, begun) + 1 if begun else 0)
    for position in reversed(range(count)):
        stage = stages[position]
        report(stage, "home")
        _gives(lift, mine, f"-{stage.name}")
        mine.starts(f"-{stage.name}")
        before = stages[position - 1].name if position else ""
        mine.done(before, stage.undo(lift), of=f"-{stage.name}")
        report(stage, "done")
    mine.ends()


def _gives(lift: Lift, mine: Held, doing: str) -> None:
    lift.check = mine.check
    lift.evidence = mine.standing.evidence
    lift.note = lambda what, evidence: mine.notes(f"{doing} {what}", evidence)


def _done(stages: Sequence[Stage], standing: Standing) -> int:
    """How many stages are done."""
    return _index(stages, standing.stage) + 1 if standing.stage else 0


def _index(stages: Sequence[Stage], name: str) -> int:
    for position, stage in enumerate(stages):
        if stage.name == name:
            return position
    known = ", ".join(stage.name for stage in stages)
    raise Blocked(f"{name!r} is no stage of this lift. They are: {known}.")
