"""Diagrams as Mermaid flowcharts. Names in them are quoted, ids have a prefix: `end` is a word."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from monolift.documents.facts import Landscape
from monolift.kernel import Saga, Step

MOST_EDGES = 400
"""Mermaid draws at most 500 edges, GitHub's with that setting."""


def map_of(landscape: Landscape) -> str | None:
    """The module map; None when it has more edges than can be drawn."""
    if len(landscape.calls) + len(landscape.events) > MOST_EDGES:
        return None
    lines = ["flowchart TD"]
    lines += [_module(landscape, label) for label in landscape.labels]
    lines += [_call(*pair, names) for pair, names in landscape.calls.items()]
    lines += [_event(*pair, names) for pair, names in landscape.events.items()]
    lines += _outside(landscape, landscape.labels)
    return "\n".join(lines)


def neighbours_of(landscape: Landscape, label: str) -> str | None:
    """One module and those that it meets; None when it meets nobody."""
    calls = {pair: names for pair, names in landscape.calls.items() if label in pair}
    events = {pair: names for pair, names in landscape.events.items() if label in pair}
    if not calls and not events:
        return None
    met = {name for pair in (*calls, *events) for name in pair}
    labels = [name for name in landscape.labels if name in met]
    lines = ["flowchart LR"]
    lines += [_module(landscape, name) for name in labels]
    lines += [_call(*pair, names) for pair, names in calls.items()]
    lines += [_event(*pair, names) for pair, names in events.items()]
    lines += _outside(landscape, labels)
    lines.append(f"  style m_{label} stroke-width:3px")
    return "\n".join(lines)


def _module(landscape: Landscape, label: str) -> str:
    module = landscape.modules.get(label)
    below = module.owner if module else "not installed here"
    return f"  m_{label}[{_quoted(label, below)}]"


def _call(caller: str, provider: str, names: Sequence[str]) -> str:
    label = f"|{_quoted(str(len(names)))}|" if names else ""
    return f"  m_{caller} -->{label} m_{provider}"


def _event(publisher: str, subscriber: str, names: Sequence[str]) -> str:
    return f"  m_{publisher} -.->|{_quoted(*names)}| m_{subscriber}"


def _outside(landscape: Landscape, labels: Sequence[str]) -> list[str]:
    return [
        f"  style m_{label} stroke-dasharray:4 3" for label in labels if label in landscape.outside
    ]


def saga(declared: type[Saga]) -> str:
    """A saga: forward in the middle, back from where a step fails, and what waits."""
    steps = declared.saga_steps
    pivot = next((index for index, step in enumerate(steps) if step.pivot), len(steps))
    lines = ["flowchart TD", "  begun([start])"]
    lines += [_step(index, step) for index, step in enumerate(steps[: pivot + 1])]
    if pivot + 1 < len(steps):
        lines.append('  subgraph forward["only forward"]')
        lines += ["  " + _step(index, steps[index]) for index in range(pivot + 1, len(steps))]
        lines.append("  end")
    lines.append("  done([done])")
    way = ["begun", *(f"s{index}" for index in range(len(steps))), "done"]
    lines += [
        f"  {here} -->|{_quoted('answers')}| {there}"
        if here[1:].isdigit() and steps[int(here[1:])].answer
        else f"  {here} --> {there}"
        for here, there in pairwise(way)
    ]
    lines += _backward(steps, pivot)
    if pivot + 1 < len(steps):
        lines += ["  stuck([stuck])", f"  forward -.->|{_quoted('fails')}| stuck"]
    return "\n".join(lines)


def _backward(steps: Sequence[Step[Saga]], pivot: int) -> list[str]:
    """A step that fails leads to the undo of the last step before it that has one."""
    lines = ["  undone([undone])"]
    before = "undone"
    for index, step in enumerate(steps[: pivot + 1]):
        why = ["fails"]
        if step.within is not None:
            why.append(f"or after {duration(step.within)}")
        lines.append(f"  s{index} -.->|{_quoted(*why)}| {before}")
        if step.undo_action is not None and index < pivot:
            lines.append(f"  u{index}[{_quoted(step.undo_action.__name__, f'undo {step.name}')}]")
            lines.append(f"  u{index} -.-> {before}")
            before = f"u{index}"
    return lines


def _step(index: int, step: Step[Saga]) -> str:
    label = [step.name]
    if step.awaits:
        label.append("awaits " + " or ".join(event.__name__ for event in step.awaits))
        if step.within is not None:
            label.append(f"at most {duration(step.within)}")
    label += [f"calls {operation.name}" for operation in step.calls[:4]]
    if len(step.calls) > 4:
        label.append(f"and {len(step.calls) - 4} more")
    if step.pivot:
        label.append("pivot")
    text = _quoted(*label)
    if step.pivot:
        return f"  s{index}{{{{{text}}}}}"
    return f"  s{index}[/{text}/]" if step.awaits else f"  s{index}[{text}]"


def duration(time: timedelta) -> str:
    """`14 days`, `90 seconds`: in the largest unit that divides it."""
    seconds = time.total_seconds()
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"


def _quoted(*lines: str) -> str:
    safe = (
        line.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;") for line in lines
    )
    return '"' + "<br>".join(safe) + '"'
