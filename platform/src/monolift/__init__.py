"""monolift: modules of a Django monolith that can be lifted out into services, and put back.

Names load when they are first used, so that importing a contract never loads Django.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monolift.events.publish import publish
    from monolift.events.subscriptions import subscribe
    from monolift.events.tasks import task
    from monolift.gateway.parts import Composition, part
    from monolift.gateway.together import together
    from monolift.kernel.dto import Dto
    from monolift.kernel.errors import DomainError, Unavailable
    from monolift.kernel.events import Event
    from monolift.kernel.ids import uuid7
    from monolift.kernel.interface import Interface, command, query
    from monolift.kernel.money import Money
    from monolift.kernel.saga import Saga, SagaRun, SagaStatus, days, hours, minutes, seconds, step
    from monolift.registry.atomic import atomic, on_commit
    from monolift.registry.callers import Caller, acting_for, end_user
    from monolift.registry.modules import Module
    from monolift.registry.proxies import override, use
    from monolift.resilience.deadline import deadline
    from monolift.resilience.idempotency import idempotency_key

_HOMES = {
    "monolift.events.publish": ("publish",),
    "monolift.events.subscriptions": ("subscribe",),
    "monolift.events.tasks": ("task",),
    "monolift.gateway.parts": ("Composition", "part"),
    "monolift.gateway.together": ("together",),
    "monolift.kernel": (
        "Dto",
        "DomainError",
        "Event",
        "Interface",
        "Money",
        "Saga",
        "SagaRun",
        "SagaStatus",
        "Unavailable",
        "command",
        "days",
        "hours",
        "minutes",
        "query",
        "seconds",
        "step",
        "uuid7",
    ),
    "monolift.registry.atomic": ("atomic", "on_commit"),
    "monolift.registry.callers": ("Caller", "acting_for", "end_user"),
    "monolift.registry.modules": ("Module",),
    "monolift.registry.proxies": ("override", "use"),
    "monolift.resilience.deadline": ("deadline",),
    "monolift.resilience.idempotency": ("idempotency_key",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Caller",
    "Composition",
    "DomainError",
    "Dto",
    "Event",
    "Interface",
    "Module",
    "Money",
    "Saga",
    "SagaRun",
    "SagaStatus",
    "Unavailable",
    "acting_for",
    "atomic",
    "command",
    "days",
    "deadline",
    "end_user",
    "hours",
    "idempotency_key",
    "minutes",
    "on_commit",
    "override",
    "part",
    "publish",
    "query",
    "seconds",
    "step",
    "subscribe",
    "task",
    "together",
    "use",
    "uuid7",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'monolift' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return __all__
