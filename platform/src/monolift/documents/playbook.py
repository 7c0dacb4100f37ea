"""The playbook: how a module is lifted out, told by the stages themselves."""

import inspect

from monolift.documents.markdown import page, table
from monolift.lift.plan.stages import STAGES

PATH = "playbook.md"
_ABOUT = (
    "`manage.py monolift lift MODULE STAGE` goes on until that stage is done, and `--through "
    "finish` through all of them. Each stage has a gate that may refuse, says what it measured, "
    "and has a way back. Killed anywhere, `lift MODULE resume` goes on; where writers wait, a "
    "worker does it by itself. `lift MODULE land` goes home from any stage. `--dry-run` says what "
    "would be done, `status --watch` how far it is. Stages that watch do so for `--watch-for` "
    "seconds (5): in production give minutes, or days."
)
_DOCS = "https://github.com/monolift/monolift/blob/main/docs"
_BEFORE = (
    "Before the first lift of a module called `inventory`: `[deployables.inventory]` and "
    '`[databases.inventory]` in the topology\'s file, and `DATABASES["inventory"]` in the '
    'settings, on PostgreSQL `DATABASES["inventory_away"]` too (the names are the module\'s '
    "label). Without `monolift run`, which knows them: addresses and keys, as in "
    f"[topologies]({_DOCS}/guides/topologies.md). Then every process is started anew. What "
    f"PostgreSQL asks for is in [moving tables]({_DOCS}/guides/lift-postgresql.md), "
    f"whether it is worth it in [its guide]({_DOCS}/guides/assess.md), the "
    f"words in the [glossary]({_DOCS}/glossary.md). [The tutorial]({_DOCS}/tutorial/lift.md) "
    "shows what one sees."
)


def playbook() -> str:
    """The page."""
    rows = [(f"`{stage.name}`", _first(stage), stage.way_back) for stage in STAGES]
    blocks = [_BEFORE, _ABOUT, table(("stage", "what happens", "the way back"), rows)]
    for stage in STAGES:
        blocks += [f"## {stage.name}", inspect.getdoc(stage) or "", f"Way back: {stage.way_back}."]
    return page("# The playbook of a lift", *blocks)


def _first(stage: object) -> str:
    return (inspect.getdoc(stage) or "").split("\n\n")[0].replace("\n", " ")
