"""Calls inside one process, through the codec: what a module would see if it were elsewhere.

The test suite's default, so that the monolith never drifts from what a service would accept.
"""

from collections.abc import Callable
from typing import Any

from monolift.kernel import CallFailed, DomainError, Operation, Unavailable
from monolift.kernel.clock import monotonic
from monolift.observe.matrix import row
from monolift.registry.proxies import Binding, Methods
from monolift.registry.scope import Scope, current
from monolift.transport import codec
from monolift.transport.following import following
from monolift.transport.perform import Target, admit, perform
from monolift.transport.weighed import weigh


def build(binding: Binding) -> Methods:
    """The methods of a proxy whose module is in this process, behind the codec."""
    return {
        name: following(binding, operation, _method(Target(binding, operation), operation))
        for name, operation in binding.operations.items()
    }


def _method(target: Target, operation: Operation) -> Callable[..., Any]:
    cells = row(operation.name)

    def hand_over(answer: Any) -> Any:
        return codec.decode_answer(operation, codec.encode_answer(operation, answer))

    def call(**arguments: Any) -> Any:
        caller = current()
        if caller.weighing is None:
            return made(caller, arguments)
        return weigh(caller, operation, target.module, arguments, lambda: made(caller, arguments))

    def made(caller: Scope, arguments: dict[str, Any]) -> Any:
        cell = cells[caller.module]
        start = monotonic()
        try:
            key = admit(caller, operation)
            body = codec.encode_arguments(operation, arguments)
            received = codec.decode_arguments(operation, body)
            return perform(target, caller, key, received, hand_over=hand_over)
        except (DomainError, Unavailable, CallFailed) as error:
            cell.errors += 1
            raise codec.decode_error(operation, codec.encode_error(error)) from error.__cause__
        except BaseException:
            cell.errors += 1
            raise
        finally:
            cell.calls = next(cell.ticket)
            cell.timed += 1
            cell.seconds += monotonic() - start

    return call
