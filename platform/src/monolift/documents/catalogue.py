"""The event catalogue: what each event says, who announces it and what others do with it."""

from monolift.contracts.snapshots import of_event, path_of
from monolift.documents import data
from monolift.documents.canvas import reaction
from monolift.documents.facts import Landscape
from monolift.documents.markdown import anchor, code, link, page, prose, table
from monolift.documents.places import Places
from monolift.documents.spelling import doc_of, fields_of, first_sentence, types_in, types_of_fields
from monolift.kernel import Event
from monolift.registry.modules import module_of

PATH = "events.md"


def catalogue(landscape: Landscape, places: Places) -> str:
    """The page of all events, those that are heard from modules outside included."""
    known = {event for module in landscape.modules.values() for event in module.publishes}
    known |= {heard.event for module in landscape.modules.values() for heard in module.hears}
    events = sorted(known, key=lambda event: (event.event_owner, event.event_name))
    rows = [
        (
            link(code(event.event_name), anchor(event.event_name)),
            _module(landscape, _publisher(event)),
            prose(first_sentence(doc_of(event))),
            _subscribers(landscape, event),
        )
        for event in events
    ]
    return page(
        "# Events",
        "An event is written in the transaction of the fact that it tells, and reaches each "
        "subscriber at least once, its effect exactly once. Events with an equal key come in the "
        "order of their commits.",
        table(("event", "announced by", "what", "subscribers"), rows) or "No module announces one.",
        *(block for event in events for block in _event(landscape, event, places)),
        "[The map](README.md) · [Sagas](sagas.md)",
    )


def _event(landscape: Landscape, event: type[Event], places: Places) -> list[str]:
    publisher = _publisher(event)
    module = landscape.modules.get(publisher)
    name, target = places.contract(path_of(of_event(event)), page=PATH)
    hearers = [
        f"- {_module(landscape, label)}: {reaction(heard)}"
        for label, heard in landscape.hearers(event)
    ]
    facts = [
        f"- announced by: {_module(landscape, publisher)}"
        + (f", owned by {module.owner}" if module else ", which is not installed here"),
        f"- version: {event.event_version}",
        f"- key: {code(event.event_key or '') or 'none, so in no order'}",
    ]
    if name:
        facts.append(f"- contract: {link(code(name), target)}")
    return [
        f"## {code(event.event_name)}",
        prose(doc_of(event)),
        "\n".join(facts),
        data.field_table(fields_of(event)) or "It has no fields.",
        data.told(types_in(types_of_fields(event))),
        "Subscribers:\n\n" + "\n".join(hearers) if hearers else "Nobody subscribes.",
    ]


def _publisher(event: type[Event]) -> str:
    return module_of(event.__module__) or event.event_owner


def _subscribers(landscape: Landscape, event: type[Event]) -> str:
    labels = dict.fromkeys(label for label, _ in landscape.hearers(event))
    return ", ".join(_module(landscape, label) for label in labels) or "nobody"


def _module(landscape: Landscape, label: str) -> str:
    return link(label, f"modules/{label}.md" if label in landscape.modules else "")
