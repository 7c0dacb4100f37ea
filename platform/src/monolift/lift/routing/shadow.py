"""Calls to a module that is shadowed: answered here, and queries asked elsewhere as well.

The caller has its answer before anybody is asked. Of the queries a share (`SHADOW_RATE`) is asked
of the deployable on trial; commands never are.
"""

from collections.abc import Callable
from random import random
from typing import Any

from monolift.kernel import DomainError, Operation
from monolift.lift.routing import inner, record
from monolift.lift.routing.questions import Question, ask
from monolift.observe.trace import current_trace
from monolift.registry.proxies import Binding, Methods
from monolift.registry.scope import current
from monolift.registry.settings import setting
from monolift.transport import codec


def build(binding: Binding) -> Methods:
    """The methods of a proxy whose module is shadowed."""
    methods = inner.build(binding)
    trial = inner.trial_of(binding)
    if trial is None:
        return methods
    return {
        name: _shadowed(binding.module, operation, methods, trial.deployable)
        if operation.kind == "query"
        else methods[name]
        for name, operation in binding.operations.items()
    }


def _shadowed(
    module: str, operation: Operation, methods: Methods, deployable: str
) -> Callable[..., Any]:
    answering = methods[operation.method]
    rate: float = setting("SHADOW_RATE")

    def call(**arguments: Any) -> Any:
        if random() >= rate:  # noqa: S311 - a sample
            return answering(**arguments)
        asked = codec.encode_arguments(operation, arguments)  # before anybody can change them
        try:
            answer = answering(**arguments)
        except DomainError as error:
            _ask(module, operation, methods, deployable, asked, error=error.code)
            raise
        except Exception:
            record.count(module, operation.name, "skipped")  # no answer to compare with
            raise
        _ask(module, operation, methods, deployable, asked, answer=answer)
        return answer

    call.__name__ = operation.method
    call.__doc__ = operation.function.__doc__
    return call


def _ask(
    module: str,
    operation: Operation,
    methods: Methods,
    deployable: str,
    asked: bytes,
    *,
    answer: Any = None,
    error: str = "",
) -> None:
    ask(
        Question(
            module=module,
            deployable=deployable,
            operation=operation,
            methods=methods,
            arguments=asked,
            answer=b"" if error else codec.encode_answer(operation, answer),
            error=error,
            caller=current().module,
            trace=current_trace(),
        )
    )
