"""Asking the deployable on trial what was answered here, in a thread of its own.

Nobody waits for it: what does not fit into the queue is not asked, and counted. One question at a
time, once, so that a trial adds little to what its deployable has to bear.
"""

import os
import queue
import threading
from typing import Any, NamedTuple

from urllib3.exceptions import HTTPError

from monolift.kernel import DomainError, Operation
from monolift.kernel.clock import monotonic
from monolift.kernel.errors import MonoliftError
from monolift.lift.routing import masks, record
from monolift.observe.logs import logger
from monolift.observe.trace import Trace
from monolift.registry.proxies import Methods
from monolift.registry.scope import Scope, entered
from monolift.transport import codec, protocol
from monolift.transport.peers import peer

PLACES = 200
"""Questions that may wait."""
LOOKS = 3
"""Times that both are asked before their answers are called different: in between a row changes."""

log = logger("monolift.trials")


class Question(NamedTuple):
    """A query that was answered here."""

    module: str
    deployable: str
    operation: Operation
    methods: Methods
    """That answer here."""
    arguments: bytes
    answer: bytes
    error: str
    """The code of the declared error that was raised instead."""
    caller: str | None
    trace: Trace | None


class _Failed(Exception):
    """There is no answer, or no comparable one."""


_waiting: "queue.Queue[Question]" = queue.Queue(PLACES)
_asking: threading.Thread | None = None
_lock = threading.Lock()


def ask(question: Question) -> None:
    """Ask it as well, soon; or count it as skipped when too many wait."""
    global _asking
    if _asking is None:
        with _lock:
            if _asking is None:
                _asking = threading.Thread(target=_run, name="monolift-shadow", daemon=True)
                _asking.start()
    try:
        _waiting.put_nowait(question)
    except queue.Full:
        record.count(question.module, question.operation.name, "skipped")


def idle() -> bool:
    """Whether nothing waits and nothing is being asked."""
    return not _waiting.unfinished_tasks


def _run() -> None:
    from django.db import close_old_connections

    while True:
        question = _waiting.get()
        try:
            close_old_connections()
            _settle(question)
            close_old_connections()
        except Exception as error:
            log.error("a trial's question was not settled", exc_info=error)
        finally:
            _waiting.task_done()


def _settle(question: Question) -> None:
    """Compare; what differs is asked again on both sides, since a row may have changed between."""
    operation = question.operation
    here = _answered(question)
    places: list[masks.Difference] = []
    for look in range(LOOKS):
        try:
            here = _here(question) if look else here
            there = _there(question)
        except _Failed as failed:
            record.count(question.module, operation.name, "failed", reason=str(failed))
            return
        places = _places(operation, here, there)
        if not places:
            record.count(question.module, operation.name, "equal")
            return
    example = record.Example(operation.name, _shown(question.arguments), places[:5])
    record.count(question.module, operation.name, "different", example=example)
    log.warning("answers differ", operation=operation.name, path=places[0].path)


def _places(
    operation: Operation, here: tuple[Any, str], there: tuple[Any, str]
) -> list[masks.Difference]:
    if here[1] != there[1]:
        return [masks.Difference("", here[1] or "an answer", there[1] or "an answer")]
    return masks.differences(operation, here[0], there[0])


def _answered(question: Question) -> tuple[Any, str]:
    """What the caller was answered: an answer, or the code of a declared error."""
    if question.error:
        return None, question.error
    return codec.decode_answer(question.operation, question.answer), ""


def _there(question: Question) -> tuple[Any, str]:
    """What the deployable on trial says."""
    operation = question.operation
    end = monotonic() + operation.timeout
    headers = {
        "Content-Type": protocol.CONTENT_TYPE,
        protocol.DEADLINE: str(int(operation.timeout * 1000)),
    }
    if question.caller:
        headers[protocol.CALLER] = question.caller
    if question.trace is not None:
        headers["traceparent"] = question.trace.traceparent
        headers["X-Request-ID"] = question.trace.request_id
    path = protocol.target(operation.interface.interface_name, operation.method, None)
    try:
        outcome = peer(question.deployable).post(path, question.arguments, end=end, headers=headers)
        if outcome.status == 200:
            return codec.decode_answer(operation, outcome.body), ""
    except (HTTPError, OSError, MonoliftError) as error:
        raise _Failed(f"{type(error).__name__} from {question.deployable}") from error
    if codec.is_refusal(outcome.body):
        raise _Failed(f"refused with status {outcome.status}")
    raised = codec.decode_error(operation, outcome.body)
    if isinstance(raised, DomainError):
        return None, raised.code
    raise _Failed(f"{type(raised).__name__} in {question.deployable}")


def _here(question: Question) -> tuple[Any, str]:
    scope = Scope(question.caller, None, monotonic() + question.operation.timeout)
    scope.kind = "request"
    scope.trace = question.trace
    try:
        arguments = codec.decode_arguments(question.operation, question.arguments)
        with entered(scope):
            return question.methods[question.operation.method](**arguments), ""
    except DomainError as error:
        return None, error.code
    except MonoliftError as error:
        raise _Failed(f"{type(error).__name__} here, when asked again") from error


def _shown(arguments: bytes) -> str:
    text = arguments.decode(errors="replace")
    return text if len(text) <= masks.SHOWN else text[: masks.SHOWN - 3] + "..."


def _forget() -> None:
    """A child process begins without its parent's thread."""
    global _asking, _waiting
    _asking, _waiting = None, queue.Queue(PLACES)


os.register_at_fork(after_in_child=_forget)
