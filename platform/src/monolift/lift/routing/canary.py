"""Calls to a module of which a deployable on trial answers a share.

Which side answers is decided by a hash that is the same in every process, of what is the same in
every repetition: the command's idempotency key, else the request's id, else the arguments. Both
sides use one database, so that a key is known to both.
"""

from collections.abc import Callable
from typing import Any
from zlib import crc32

from monolift.kernel import Operation, Unavailable
from monolift.lift.routing import inner, record
from monolift.observe.trace import current_trace
from monolift.registry.proxies import Binding, Methods
from monolift.registry.scope import CallKey, Scope, current
from monolift.transport import codec, http
from monolift.transport.following import Moved, SameKey
from monolift.transport.peers import peer
from monolift.transport.perform import admit


def build(binding: Binding) -> Methods:
    """The methods of a proxy whose module has a canary."""
    methods = inner.build(binding)
    trial = inner.trial_of(binding)
    if trial is None or not trial.percent:
        return methods
    there = http.through(peer(trial.deployable), binding)
    return {
        name: _split(binding.module, operation, methods[name], there[name], trial.percent)
        for name, operation in binding.operations.items()
    }


def goes_there(text: str | bytes, *, percent: int) -> bool:
    """Whether what is called by this text is among the share of the deployable on trial."""
    return crc32(text.encode() if isinstance(text, str) else text) % 100 < percent


def _split(
    module: str,
    operation: Operation,
    here: Callable[..., Any],
    there: Callable[..., Any],
    percent: int,
) -> Callable[..., Any]:
    def call(**arguments: Any) -> Any:
        caller = current()
        key = admit(caller, operation)  # once: a step admits one command
        if not goes_there(_named(key, operation, arguments), percent=percent):
            record.count(module, operation.name, "local")
            return _under(caller, key, here, arguments)
        before, caller.following = caller.following, True  # what is refused there is made here
        try:
            answer = _under(caller, key, there, arguments)
        except Moved as moved:
            record.count(module, operation.name, "refused", reason=str(moved))
            key = moved.key or key
        except Unavailable as error:
            record.count(module, operation.name, "unavailable", reason=error.reason)
            raise
        except Exception:
            record.count(module, operation.name, "trial")
            raise
        else:
            record.count(module, operation.name, "trial")
            return answer
        finally:
            caller.following = before
        return _under(caller, key, here, arguments)

    call.__name__ = operation.method
    call.__doc__ = operation.function.__doc__
    return call


def _named(key: CallKey | None, operation: Operation, arguments: dict[str, Any]) -> str | bytes:
    if key is not None:
        return key.value
    trace = current_trace()
    if trace is not None:
        return trace.request_id
    return codec.encode_arguments(operation, arguments)


def _under(
    caller: Scope, key: CallKey | None, call: Callable[..., Any], arguments: dict[str, Any]
) -> Any:
    """Make the call with the key that was admitted."""
    if caller.outgoing is None and key is None:
        return call(**arguments)
    before = caller.outgoing, caller.plain
    caller.outgoing, caller.plain = SameKey(key), False
    try:
        return call(**arguments)
    finally:
        caller.outgoing, caller.plain = before
