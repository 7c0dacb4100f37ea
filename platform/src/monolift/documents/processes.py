"""The page of the sagas: each as a diagram, and step by step."""

from monolift.contracts.snapshots import of_saga, path_of
from monolift.documents import data, mermaid
from monolift.documents.canvas import heading_of_saga
from monolift.documents.facts import Landscape, ModuleFacts
from monolift.documents.markdown import anchor, code, codes, fence, link, page, prose, table
from monolift.documents.places import Places
from monolift.documents.spelling import doc_of, fields_of, first_sentence, types_in, types_of_fields
from monolift.kernel import Saga, Step

PATH = "sagas.md"


def processes(landscape: Landscape, places: Places) -> str:
    """The page of all sagas."""
    found = [(module, saga) for module in landscape.modules.values() for saga in module.sagas]
    rows = [
        (
            link(code(saga.saga_name), anchor(heading_of_saga(saga))),
            link(module.label, f"modules/{module.label}.md"),
            prose(first_sentence(doc_of(saga))),
        )
        for module, saga in found
    ]
    return page(
        "# Sagas",
        "Solid arrows go forward, dashed ones back. A step that is refused, or fails after its "
        "last attempt, is undone together with all before it, the last first; an effect whose "
        "outcome is not known is settled before. The hexagon is the pivot: after it a saga only "
        "goes forward, and rests as *stuck* where it cannot.",
        table(("saga", "module", "what"), rows) or "No module has one.",
        *(block for module, saga in found for block in _saga(module, saga, places)),
        "[The map](README.md) · [Events](events.md)",
    )


def _saga(module: ModuleFacts, saga: type[Saga], places: Places) -> list[str]:
    name, target = places.contract(path_of(of_saga(saga)), page=PATH)
    attempts = saga.saga_attempts
    facts = [
        f"- module: {link(module.label, f'modules/{module.label}.md')}, owned by {module.owner}",
        f"- attempts of a step: {attempts}",
    ]
    if name:
        facts.append(f"- contract: {link(code(name), target)}")
    return [
        f"## {heading_of_saga(saga)}",
        prose(doc_of(saga)),
        "\n".join(facts),
        fence(mermaid.saga(saga), "mermaid"),
        table(
            ("step", "what", "calls", "undo", "waits for"),
            [_row(step) for step in saga.saga_steps],
        ),
        "<details><summary>What it remembers</summary>",
        data.field_table(fields_of(saga)),
        data.told(types_in(types_of_fields(saga))),
        "</details>",
    ]


def _row(step: Step[Saga]) -> tuple[str, ...]:
    marks = [mark for mark, given in (("pivot", step.pivot), ("answers", step.answer)) if given]
    name = code(step.name) + (f" ({', '.join(marks)})" if marks else "")
    awaited = ""
    if step.awaits:
        awaited = " or ".join(code(event.event_name) for event in step.awaits)
        awaited += f" with its {code(step.match or '')}"
        if step.within is not None:
            awaited += f", at most {mermaid.duration(step.within)}"
    return (
        name,
        prose(first_sentence(doc_of(step.action))),
        codes(operation.name for operation in step.calls) or "its own tables",
        code(step.undo_action.__name__) if step.undo_action else "",
        awaited,
    )
