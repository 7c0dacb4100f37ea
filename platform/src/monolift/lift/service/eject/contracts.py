"""What a module is where it does not run: its contract, and whom to tell of events."""

from collections.abc import Iterable

from monolift.kernel import Event

PARTS = ("__init__", "apps", "interface", "events", "fakes")
"""The files of a contract. The fake stands for the module in the tests of others."""


def handlers_elsewhere(label: str, events: Iterable[type]) -> str:
    """A `handlers.py` that only says what is heard: the handlers themselves run elsewhere."""
    by_name = sorted({event for event in events if issubclass(event, Event)}, key=_path)
    imported: dict[str, list[str]] = {}
    for event in by_name:
        imported.setdefault(event.__module__, []).append(event.__name__)
    lines = [f'"""What {label} listens to, in another deployable: whom a relay here tells."""', ""]
    lines += [f"from {module} import {', '.join(names)}" for module, names in imported.items()]
    lines.append("from monolift.events.subscriptions import heard_elsewhere")
    lines.append("")
    lines += [f"heard_elsewhere({event.__name__}, by=__name__)" for event in by_name]
    return "\n".join(lines) + "\n"


def _path(event: type[Event]) -> tuple[str, str]:
    return event.__module__, event.__name__
