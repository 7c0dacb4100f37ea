"""Calls of a request that is weighed (see `monolift.observe.weighing`)."""

import sys
from collections.abc import Callable
from time import thread_time
from typing import Any

from monolift.kernel import Operation
from monolift.observe.lines import calling_line
from monolift.observe.weighing import Node
from monolift.registry.scope import Scope
from monolift.transport import codec


def weigh(
    caller: Scope,
    operation: Operation,
    module: str,
    arguments: dict[str, Any],
    call: Callable[[], Any],
    *,
    remote: bool = False,
) -> Any:
    """Make a call and weigh it. While it runs, the caller's scope says so."""
    above: Node = caller.weighing
    line = calling_line(sys._getframe(2))
    node = caller.weighing = above.below(module)
    answer: Any = _FAILED
    try:
        answer = call()
        return answer
    finally:
        own = node.end(above)
        caller.weighing = above
        begun = thread_time()
        size = _size(operation, arguments, answer)
        above.called(operation, module=module, line=line, size=size, own=own, remote=remote)
        above.inner += thread_time() - begun


_FAILED = object()


def _size(operation: Operation, arguments: dict[str, Any], answer: Any) -> int:
    """Bytes on a wire; -1 where it could not travel, or failed."""
    if answer is _FAILED:
        return -1
    try:
        sent = codec.encode_arguments(operation, arguments)
        return len(sent) + len(codec.encode_answer(operation, answer))
    except Exception:  # what cannot travel is for others to refuse: a look must harm nothing
        return -1
