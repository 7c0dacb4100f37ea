"""Whom a module meets, as the installed modules declare it."""

import sys
from dataclasses import dataclass

from monolift.events.subscriptions import all_subscriptions
from monolift.kernel.saga import declared_sagas
from monolift.registry.modules import modules
from monolift.registry.proxies import binding_of


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The labels of the modules that some modules meet; none of themselves."""

    calls: frozenset[str]
    """Whose interfaces they require."""
    callers: frozenset[str]
    """Who requires theirs."""
    hears: frozenset[str]
    """Whose events they subscribe to."""
    heard_by: frozenset[str]
    """Who subscribes to theirs."""


def neighbours(*, of: frozenset[str]) -> Neighbours:
    """Whom these modules meet."""
    calls = _calls()
    hears = _hears()
    return Neighbours(
        calls=frozenset(to for by, to in calls if by in of) - of,
        callers=frozenset(by for by, to in calls if to in of) - of,
        hears=frozenset(to for by, to in hears if by in of) - of,
        heard_by=frozenset(by for by, to in hears if to in of) - of,
    )


def _calls() -> set[tuple[str, str]]:
    """(caller, provider), as each `requires.py` binds it."""
    providers = {
        id(binding_of(interface).proxy): label
        for label, module in modules().items()
        for interface in module.provides
    }
    return {
        (label, providers[id(value)])
        for label, module in modules().items()
        for value in vars(sys.modules.get(f"{module.name}.requires", object)).values()
        if id(value) in providers
    }


def _hears() -> set[tuple[str, str]]:
    """(subscriber, publisher), handlers and sagas that await."""
    heard = {(one.module, one.event.event_owner) for one in all_subscriptions()}
    for saga in declared_sagas():
        for step in saga.saga_steps:
            heard |= {(saga.saga_owner, event.event_owner) for event in step.awaits}
    return heard
