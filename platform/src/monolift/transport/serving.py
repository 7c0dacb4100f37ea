"""Answering calls of other deployables: the other side of `monolift.transport.http`.

    path("_monolift/calls/<interface>/<method>", serve)

Only what a known deployable signed for this one is read. More requests than `SERVES_AT_ONCE` are
refused at once with 503 and Retry-After, before any work: that keeps the ones that run quick.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from django.core.signals import setting_changed
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from monolift.kernel import CallFailed, DomainError, Operation, Unavailable
from monolift.kernel.clock import monotonic
from monolift.kernel.errors import MonoliftError
from monolift.observe.logs import logger
from monolift.observe.matrix import row, served
from monolift.registry.callers import Caller
from monolift.registry.modules import modules
from monolift.registry.proxies import binding_of
from monolift.registry.scope import CallKey, Scope, current, entered
from monolift.registry.settings import setting
from monolift.registry.topology import on_change, renewed, topology
from monolift.resilience.bulkhead import Bulkhead, Full
from monolift.transport import codec
from monolift.transport.following import Moved
from monolift.transport.perform import Target, perform
from monolift.transport.protocol import (
    CALLER,
    CONTENT_TYPE,
    DEADLINE,
    LARGEST,
    MISDIRECTED,
    BadKey,
    key_of,
)
from monolift.transport.signed import TooLarge, read
from monolift.transport.signing import SignatureRefused

_SMALL = 64 * 1024
"""Bytes of a call that is refused that are read all the same."""
_MILLISECONDS = re.compile(r"[0-9]{1,9}")
_LABEL = re.compile(r"[a-z_][a-z0-9_]{0,99}")

log = logger("monolift.calls")


@csrf_exempt
@transaction.non_atomic_requests
def serve(request: HttpRequest, interface: str, method: str) -> HttpResponse:
    """Run one call: 200 with the answer, or a failure with its status.

    Declared errors have their own status; 500 is a call that failed, 503 one that got no answer
    further on. Nothing was run at: 400 (not a call), 401 and 403 (not signed as it must be), 404
    and 421 (no such operation, or not here), 405, 413, 503 with Retry-After (too busy).
    """
    try:
        with _places().place():
            return _serve(request, interface, method)
    except Full:
        # A server hangs up on a body that is not read, and the refusal may be lost with that.
        with suppress(SignatureRefused, TooLarge):
            read(request, largest=_SMALL)
        return _refuse(503, "as many calls are being served as may be", Retry_After="1")


def _serve(request: HttpRequest, interface: str, method: str) -> HttpResponse:
    if request.method != "POST":
        return _refuse(405, "a call is a POST", Allow="POST")
    try:
        claims, body = read(request, largest=LARGEST)
        key = key_of(request.META["QUERY_STRING"])
    except SignatureRefused as error:
        log.warning("call is refused", interface=interface, method=method, reason=error.reason)
        return _refuse(error.status, error.reason)
    except TooLarge as error:
        return _refuse(413, f"the arguments have {error}")
    except BadKey as error:
        return _refuse(400, str(error))
    found = operation_of(interface, method)
    if isinstance(found, str):
        renewed()
        found = operation_of(interface, method)
    if found is None:
        return _refuse(404, f"{interface} has no operation {method!r} here")
    if isinstance(found, str):
        return _quiet(_refuse(MISDIRECTED, found))
    operation = found.operation
    if key is not None and (operation.kind == "query" or not operation.keyed):
        return _refuse(400, f"{operation.name} takes no key")
    if current().weighing is not None:
        current().weighing.answers(operation, module=found.module)
    caller = caller_of(
        operation,
        label=request.headers.get(CALLER, ""),
        milliseconds=request.headers.get(DEADLINE, ""),
        user=claims.usr,
    )
    return answered(found, caller, key, body)


def answered(target: Target, caller: Scope, key: CallKey | None, body: bytes) -> HttpResponse:
    """Run a call that was let in, and word what came of it."""
    operation = target.operation
    cell = served(operation.name)[caller.module]
    start = monotonic()
    try:
        response = _answered(target, caller, key, body)
        cell.errors += response.status_code != 200
        cell.failed += response.status_code >= 500
        return response
    except BaseException:
        cell.errors += 1
        cell.failed += 1
        raise
    finally:
        cell.calls = next(cell.ticket)
        cell.timed += 1
        cell.seconds += monotonic() - start


def _answered(target: Target, caller: Scope, key: CallKey | None, body: bytes) -> HttpResponse:
    operation = target.operation
    try:
        arguments = codec.decode_arguments(operation, body)
        # Before the commit, so that an answer that cannot leave, or not arrive, takes the effect
        # back: as in process.
        sent: list[bytes] = []

        def hand_over(answer: Any) -> Any:
            sent[:] = [codec.encode_answer(operation, answer)]
            codec.decode_answer(operation, sent[0])
            return answer

        with entered(caller):
            answer = perform(target, caller, key, arguments, hand_over=hand_over)
        return _answer(200, sent[0] if sent else codec.encode_answer(operation, answer))
    except Moved as moved:
        return _quiet(_refuse(MISDIRECTED, str(moved)))
    except (DomainError, Unavailable, CallFailed, MonoliftError) as error:
        if isinstance(error, CallFailed):
            log.error("call failed", operation=operation.name, exc_info=error)
        headers = {}
        if isinstance(error, Unavailable) and error.retry_after is not None:
            headers["Retry-After"] = f"{error.retry_after:.0f}"
        return _quiet(_answer(codec.status_of(error), codec.encode_error(error), **headers))


def caller_of(operation: Operation, *, label: str, milliseconds: str, user: Caller | None) -> Scope:
    """The scope of the calling module; its deadline is believed as far as it shortens ours."""
    outer = current()
    end = monotonic() + operation.timeout
    if _MILLISECONDS.fullmatch(milliseconds):
        end = min(end, monotonic() + int(milliseconds) / 1000)
    else:
        row(operation.name)[label].undated += 1
    scope = Scope(label if _LABEL.fullmatch(label) else None, outer, end)
    scope.kind = "request"
    scope.operation = operation.name
    scope.weighed_with(outer)
    scope.acts_for = lambda: user
    return scope


def operation_of(interface: str, method: str) -> Target | str | None:
    """What runs it here, or where it runs; None for what no module provides."""
    return _operations(topology().epoch).get(interface, {}).get(method)


@cache
def _operations(_: int) -> Mapping[str, Mapping[str, Target | str]]:
    """By interface and method: what runs it here, or where it runs.

    Of an epoch, because what is worked out while the topology changes is kept after all was
    forgotten.
    """
    known = topology()
    found: dict[str, dict[str, Target | str]] = {}
    for label, module in modules().items():
        elsewhere = f"{label} runs in {known.place(label).deployable}"
        for interface in module.provides:
            binding = binding_of(interface)
            found[interface.interface_name] = {
                name: Target(binding, operation) if known.hosts(label) else elsewhere
                for name, operation in binding.operations.items()
            }
    return found


@cache
def _places() -> Bulkhead:
    return Bulkhead(places=setting("SERVES_AT_ONCE"))


def _answer(status: int, body: bytes, **headers: str) -> HttpResponse:
    return HttpResponse(
        body,
        status=status,
        content_type=CONTENT_TYPE,
        headers={
            "Content-Length": str(len(body)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


def _quiet(response: HttpResponse) -> HttpResponse:
    """Django logs every answer from 400 on, as if somebody had asked for a page that is not there.

    Not this one: in process nobody logs a declared error, and what fails here is logged by then.
    The mark is that of `django.utils.log.log_response`.
    """
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _refuse(status: int, reason: str, **headers: str) -> HttpResponse:
    return _answer(status, codec.encode_refusal(reason), **headers)


def _forget(**_: Any) -> None:
    _operations.cache_clear()
    _places.cache_clear()


setting_changed.connect(_forget, dispatch_uid="monolift.transport.serving")
on_change(_forget)
