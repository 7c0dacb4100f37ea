"""Direct calls inside one process.

The methods of a proxy are generated with the signature of their operation: no argument packing, no
attribute lookup by name. The common case (no transaction, no key) is written out in the method;
everything else goes through `perform`.
"""

import inspect
from threading import get_ident
from typing import Any

from monolift.kernel import Operation, Unavailable
from monolift.kernel.clock import monotonic
from monolift.kernel.ids import uuid7
from monolift.observe.matrix import row
from monolift.registry.atomic import commit
from monolift.registry.proxies import Binding, Methods
from monolift.registry.scope import Scope, adopt, get_current
from monolift.registry.settings import checks_values
from monolift.registry.transactions import foreign_transaction
from monolift.transport.following import Moved, ending, follow
from monolift.transport.live import refuse_live
from monolift.transport.perform import Target, admit, failure, perform
from monolift.transport.weighed import weigh

_METHOD = """
def {method}({parameters}):
    current = get_current(None)
    if current is None or current.thread != get_ident():
        current = adopt()
    caller = current.scope
    if not caller.plain:
        return guarded(caller, dict({arguments}))
    if opened := current.connections:  # mostly one: a loop over it costs more than the look
        one = opened[0]
        if (
            one.atomic_blocks or not one.autocommit or len(opened) > 1
        ) and foreign_transaction():
            return guarded(caller, dict({arguments}))
    start = monotonic()
    end = start + {timeout!r}
    deadline = caller.deadline
    if deadline is not None and deadline < end:
        end = deadline
        if end <= start:
            raise Unavailable(name, "the caller's deadline has passed")
    cell = cells[caller.module]
    scope = Scope(module, caller, end, name)
    {fresh_key}
    current.scope = scope
    try:
        {look_at_arguments}
        answer = implementation({arguments})
        {look_at_answer}
        if scope.outer is not None:
            commit(scope, answer)
        return answer
    except BaseException as error:
        cell.errors += 1
        raised = failure(operation, scope, error)
        if raised is error:
            raise
        if caller.following or not isinstance(raised, Moved):
            raise raised from error
        moved = raised.under(scope.key)
    finally:
        current.scope = caller
        cell.calls = count = next(cell.ticket)
        if not count & 15:
            cell.timed += 1
            cell.seconds += monotonic() - start
    return follow(binding, operation, caller, end, dict({arguments}), moved)
"""


def build(binding: Binding) -> Methods:
    """The methods of a proxy whose module is in this process."""
    return {
        name: _method(binding, Target(binding, operation), operation)
        for name, operation in binding.operations.items()
    }


def _method(binding: Binding, target: Target, operation: Operation) -> Any:
    cells = row(operation.name)
    looking = checks_values()

    def checked(answer: Any) -> Any:
        refuse_live(operation, answer, "its answer")
        return answer

    def guarded(caller: Scope, arguments: dict[str, Any]) -> Any:
        if caller.weighing is None:
            return made(caller, arguments)
        return weigh(caller, operation, target.module, arguments, lambda: made(caller, arguments))

    def made(caller: Scope, arguments: dict[str, Any]) -> Any:
        cell = cells[caller.module]
        start = monotonic()
        end = ending(caller, operation)
        try:
            key = admit(caller, operation)
            if not looking:
                return perform(target, caller, key, arguments)
            refuse_live(operation, arguments, "its arguments")
            return perform(target, caller, key, arguments, hand_over=checked)
        except Moved as moved:
            cell.errors += 1
            if caller.following:
                raise
            return follow(binding, operation, caller, end, arguments, moved)
        except BaseException:
            cell.errors += 1
            raise
        finally:
            cell.calls = next(cell.ticket)
            cell.timed += 1
            cell.seconds += monotonic() - start

    parameters = operation.signature.parameters.values()
    defaults = {
        f"default_{parameter.name}": parameter.default
        for parameter in parameters
        if parameter.default is not inspect.Parameter.empty
    }
    names = [
        f"{parameter.name}=default_{parameter.name}"
        if f"default_{parameter.name}" in defaults
        else parameter.name
        for parameter in parameters
    ]
    passed = ", ".join(f"{parameter.name}={parameter.name}" for parameter in parameters)
    source = _METHOD.format(
        method=operation.method,
        parameters=", ".join(["*", *names]) if names else "",
        arguments=passed,
        look_at_arguments=(
            f"refuse_live(operation, dict({passed}), 'its arguments')" if looking else ""
        ),
        look_at_answer="refuse_live(operation, answer, 'its answer')" if looking else "",
        timeout=operation.timeout,
        fresh_key='scope.key = f"once:{uuid7()}"' if operation.external else "",
    )
    namespace: dict[str, Any] = {
        "Scope": Scope,
        "Unavailable": Unavailable,
        "cells": cells,
        "commit": commit,
        "Moved": Moved,
        "binding": binding,
        "failure": failure,
        "follow": follow,
        "foreign_transaction": foreign_transaction,
        "adopt": adopt,
        "get_current": get_current,
        "get_ident": get_ident,
        "guarded": guarded,
        "implementation": target.method,
        "module": target.module,
        "monotonic": monotonic,
        "name": operation.name,
        "operation": operation,
        "refuse_live": refuse_live,
        "uuid7": uuid7,
        **defaults,
    }
    exec(compile(source, f"<monolift {operation.name}>", "exec"), namespace)  # noqa: S102 - source above
    method = namespace[operation.method]
    method.__doc__ = operation.function.__doc__
    return method
