"""Which part of a module may import which part of another: deny by default."""

INTERFACE = "interface"
EVENTS = "events"
REQUIRES = "requires"
CONTRACTS = (INTERFACE, EVENTS)
SUBSCRIBERS = ("handlers", "sagas")


def permitted(*, part: str, imported: str) -> bool:
    """Whether a module's part may import another module's part.

    A foreign interface is imported in `requires.py` only, foreign events in `handlers.py` and
    `sagas.py` only.
    """
    if imported == INTERFACE:
        return part == REQUIRES
    if imported == EVENTS:
        return part in SUBSCRIBERS
    return False


def permitted_inside(*, part: str, imported: str) -> bool:
    """Whether a contract file may import another part of its own module."""
    return imported == part or (part == EVENTS and imported == INTERFACE)
