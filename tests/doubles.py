"""Modules that answer wrongly, or not at all: copies of whatever answers now, spoilt."""

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from monolift import Unavailable
from monolift.registry.proxies import binding_of, override


@contextmanager
def instead(interface: Any, /, **operations: Callable[..., Any]) -> Iterator[None]:
    """Let functions answer operations; the first argument is what answers otherwise."""
    double = copy.copy(binding_of(interface).implementation)
    for name, function in operations.items():
        setattr(double, name, partial(function, getattr(double, name)))
    with override(interface, double):
        yield


def answering(interface: Any, /, **answers: Any) -> AbstractContextManager[None]:
    """Let operations give an answer each, whatever they are asked."""
    return instead(interface, **{name: _giving(answer) for name, answer in answers.items()})


def failing(interface: Any, /, **errors: Exception) -> AbstractContextManager[None]:
    """Let operations raise an error each, in place of doing anything."""
    return instead(interface, **{name: _raising(error) for name, error in errors.items()})


def silent(interface: Any, /, *operations: str) -> AbstractContextManager[None]:
    """Let operations give no answer, and do nothing."""
    return failing(interface, **{name: _no_answer(interface, name) for name in operations})


def late(interface: Any, operation: str, /, *, after: float) -> AbstractContextManager[None]:
    """Let an operation give no answer and do nothing, and be some seconds about it."""

    def sleep_and_fail(_: Any, **__: Any) -> None:
        time.sleep(after)
        raise _no_answer(interface, operation)

    return instead(interface, **{operation: sleep_and_fail})


def slow(interface: Any, operation: str, /) -> AbstractContextManager[None]:
    """Let an operation do what it does, and give no answer."""

    def do_and_fail(real: Callable[..., Any], **arguments: Any) -> None:
        real(**arguments)
        raise _no_answer(interface, operation)

    return instead(interface, **{operation: do_and_fail})


def _giving(answer: Any) -> Callable[..., Any]:
    return lambda _, **__: answer


def _raising(error: Exception) -> Callable[..., Any]:
    def fail(_: Any, **__: Any) -> None:
        raise error

    return fail


def _no_answer(interface: Any, operation: str) -> Unavailable:
    return Unavailable(f"{interface.__name__}.{operation}", "secret detail")
