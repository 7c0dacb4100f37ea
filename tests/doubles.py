"""Modules that answer wrongly, or not at all: copies of whatever answers now, spoilt."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from monolift import Unavailable
from monolift.registry.proxies import binding_of, override


@contextmanager
def failing(interface: Any, /, **errors: Exception) -> Iterator[None]:
    """Let operations raise an error each, in place of doing anything."""
    double = copy.copy(binding_of(interface).implementation)
    for operation, error in errors.items():
        setattr(double, operation, _raising(error))
    with override(interface, double):
        yield


@contextmanager
def answering(interface: Any, /, **answers: Any) -> Iterator[None]:
    """Let operations give an answer each, whatever they are asked."""
    double = copy.copy(binding_of(interface).implementation)
    for operation, answer in answers.items():
        setattr(double, operation, _giving(answer))
    with override(interface, double):
        yield


@contextmanager
def silent(interface: Any, /, *operations: str) -> Iterator[None]:
    """Let operations give no answer."""
    errors = {
        one: Unavailable(f"{interface.__name__}.{one}", "secret detail") for one in operations
    }
    with failing(interface, **errors):
        yield


@contextmanager
def slow(interface: Any, operation: str, /) -> Iterator[None]:
    """Let an operation do what it does, and give no answer."""
    double = copy.copy(binding_of(interface).implementation)
    real = getattr(double, operation)

    def do_and_fail(**arguments: Any) -> None:
        real(**arguments)
        raise Unavailable(f"{interface.__name__}.{operation}", "too late")

    setattr(double, operation, do_and_fail)
    with override(interface, double):
        yield


def _raising(error: Exception) -> Any:
    def fail(**_: Any) -> None:
        raise error

    return fail


def _giving(answer: Any) -> Any:
    def give(**_: Any) -> Any:
        return answer

    return give
