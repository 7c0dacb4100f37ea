"""Who wants to know which event."""

from collections.abc import Callable
from typing import Any

from monolift.kernel import DeclarationError, Event
from monolift.kernel.names import owner_of
from monolift.registry.modules import module_of


class Subscription:
    """One handler of one event class. Its name is stored with each delivery, never its path."""

    def __init__(
        self, *, event: type[Event], handler: Callable[[Any], None], python_module: str, name: str
    ) -> None:
        self.event = event
        self.handler = handler
        self._python_module = python_module
        self._name = name

    @property
    def module(self) -> str:
        """The label of the subscribing module."""
        return module_of(self._python_module) or owner_of(self._python_module)

    @property
    def name(self) -> str:
        """`recommendations.count_together`."""
        return f"{self.module}.{self._name}"

    def __repr__(self) -> str:
        return f"<{self.name} on {self.event.event_name}>"


_by_event: dict[str, list[Subscription]] = {}
_generation = 0


def subscribe[E: Event](
    event: type[E], /, *, name: str | None = None
) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Run the decorated function for each `event`, at least once, its database effect exactly once.

    It runs after the publisher's commit, in a worker, in its own operation: `atomic()` inside it
    commits together with the mark that this event is dealt with. Events of one key come in order,
    one after another. An error repeats it, with growing delays; after the last attempt the delivery
    rests as *failed*, and its lane with it, until `resubmit` or `skip`.

    `name` keeps the stored name of a handler whose function is renamed.
    """
    if not (isinstance(event, type) and issubclass(event, Event)) or event is Event:
        raise DeclarationError(f"subscribe({event!r}): not an event. Name a class of events.py.")

    def decorate(handler: Callable[[E], None]) -> Callable[[E], None]:
        add(
            Subscription(
                event=event,
                handler=handler,
                python_module=handler.__module__,
                name=name or handler.__name__,
            )
        )
        return handler

    return decorate


def heard_elsewhere(event: type[Event], /, *, by: str) -> None:
    """Say that a module whose code is not here hears an event, so that a relay here tells it.

    `by` is the dotted name of its `handlers.py`. The topology says where the module runs; here it
    cannot.
    """

    def run(_: Any) -> None:
        raise RuntimeError(f"{by} runs in another deployable. Its code is not here.")

    add(
        Subscription(
            event=event, handler=run, python_module=by, name=f"elsewhere:{event.event_name}"
        )
    )


def add(subscription: Subscription) -> None:
    """Register a subscription; one that names the same handler replaces it (a reloaded file)."""
    known = _by_event.setdefault(subscription.event.event_name, [])
    known[:] = [other for other in known if other.name != subscription.name]
    known.append(subscription)
    _changed()


def remove(subscription: Subscription) -> None:
    """Take a subscription back. For tests."""
    _by_event[subscription.event.event_name].remove(subscription)
    _changed()


def generation() -> int:
    """A number that differs after each change, for what is derived from the subscriptions."""
    return _generation


def _changed() -> None:
    global _generation
    _generation += 1


def of_event(event_name: str) -> list[Subscription]:
    """The subscriptions of an event, in order of registration."""
    return _by_event.get(event_name, [])


def all_subscriptions() -> list[Subscription]:
    """Every subscription of the process."""
    return [subscription for known in _by_event.values() for subscription in known]


def named(event_name: str, subscriber: str) -> Subscription | None:
    """The subscription that a stored delivery is for; None when it is not installed any more."""
    return next((known for known in of_event(event_name) if known.name == subscriber), None)
