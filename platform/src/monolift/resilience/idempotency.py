"""Idempotency keys: stored with the effect, in one transaction.

The same key and request gives the first answer; another request under it is refused; a twin in
flight waits on the unique index, or is refused while an external effect is under way.
(IETF draft-ietf-httpapi-idempotency-key-header; the answers of declared errors are kept only for
external commands, since in every other case an error means that nothing happened.)
"""

from typing import Any

import msgspec
from django.db import connections

from monolift.kernel import (
    CallFailed,
    DomainError,
    KeyInFlight,
    KeyReused,
    NeverHappened,
    Operation,
)
from monolift.registry.direct import DirectStatement
from monolift.registry.scope import CallKey, current
from monolift.registry.sql import after, execute, fetch, now
from monolift.resilience.fingerprint import alike, fingerprint

LEASE = 30.0
"""Seconds that an external command may be under way before its key may be settled by another."""

_DONE, _STARTED, _NEVER = "done", "started", "never"

_ANSWER = DirectStatement(
    "UPDATE monolift_key SET state = %s, answer = %s, error = %s WHERE module = %s AND key = %s",
    name="monolift_answer",
)


class Answered(BaseException):
    """The key is known: leave the body and give the stored answer."""

    def __init__(self, stored: "Stored") -> None:
        self.stored = stored


class Clashed(BaseException):
    """The key is another request's, or its twin was just rolled back: leave the body."""

    def __init__(self, error: KeyReused | KeyInFlight) -> None:
        self.error = error


class Stored(msgspec.Struct, frozen=True):
    """What is kept under a key."""

    state: str
    answer: str
    error: str
    under_way: bool


class KeyedCommand:
    """Keeps one command's key: the unit that `atomic()` writes first and last."""

    def __init__(self, operation: Operation, module: str, key: CallKey, arguments: Any) -> None:
        self.operation = operation
        self.module = module
        self.key = key
        self.fingerprint = fingerprint(arguments)

    def first(self, alias: str) -> None:
        """Claim the key in the operation's transaction; Answered or Clashed when it is taken."""
        if self.operation.external:
            return  # claimed before the body, by start()
        if not self._insert(alias, _DONE):
            try:
                stored = self._known(alias)
            except (KeyReused, KeyInFlight) as error:
                raise Clashed(error) from None
            raise Answered(stored)

    def last(self, alias: str, answer: Any) -> None:
        """Store the answer with the effect: nobody reads it before."""
        _ANSWER.execute_with_commit(
            connections[alias],
            (_DONE, msgspec.json.encode(answer).decode(), "", self.module, self.key.value),
        )

    def look(self, alias: str) -> Stored | None:
        """What is kept under the key; KeyReused when it belongs to another request."""
        rows = fetch(
            alias,
            "SELECT state, operation, fingerprint, answer, error, "
            f"CASE WHEN lease_until > {now(alias)} THEN 1 ELSE 0 END "
            "FROM monolift_key WHERE module = %s AND key = %s",
            (self.module, self.key.value),
        )
        if not rows:
            return None
        state, operation, kept, answer, error, under_way = rows[0]
        stored = Stored(state, answer, error, bool(under_way))
        same = operation == self.operation.name and alike(kept, self.fingerprint)
        if not same and not self.key.settling:
            raise KeyReused(
                f"The key {self.key.value!r} was used before for another request. "
                "Send a new key with a new request."
            )
        return stored

    def start(self, alias: str) -> Stored | None:
        """Before an external effect: record in a commit of its own that it begins.

        Returns what is stored when the key is answered already. A dead lease is taken over: the
        body runs again under the same key, which the other side must treat as a repetition.
        """
        if self._insert(alias, _STARTED, lease=LEASE):
            return None
        stored = self._known(alias)
        if stored.state != _STARTED:
            return stored
        taken = execute(
            alias,
            f"UPDATE monolift_key SET lease_until = {after(alias, LEASE)} WHERE module = %s "
            f"AND key = %s AND state = %s AND lease_until <= {now(alias)}",
            (self.module, self.key.value, _STARTED),
        )
        if taken:
            return None
        raise KeyInFlight(f"{self.operation.name} is still running under {self.key.value!r}.")

    def let_go(self, alias: str) -> None:
        """An external effect ended without a known outcome: the key may be repeated at once."""
        execute(
            alias,
            f"UPDATE monolift_key SET lease_until = {now(alias)} "
            "WHERE module = %s AND key = %s AND state = %s",
            (self.module, self.key.value, _STARTED),
        )

    def refuse(self, alias: str, error: DomainError) -> None:
        """An external effect was refused for good: keep the refusal as the answer."""
        kept = msgspec.json.encode({"code": error.code, "fields": error.fields}).decode()
        execute(alias, _ANSWER.sql, (_DONE, "", kept, self.module, self.key.value))

    def bury(self, alias: str) -> bool:
        """Make sure that the command never runs under this key; False when it already has."""
        return self._insert(alias, _NEVER)

    def _known(self, alias: str) -> Stored:
        stored = self.look(alias)
        if stored is None:  # the twin that held the key was rolled back meanwhile
            raise KeyInFlight(f"{self.operation.name} under {self.key.value!r}: try again.")
        return stored

    def _insert(self, alias: str, state: str, *, lease: float = 0.0) -> bool:
        return bool(
            execute(
                alias,
                "INSERT INTO monolift_key (module, key, operation, fingerprint, state, answer, "
                "error, lease_until, created_at) VALUES (%s, %s, %s, %s, %s, '', '', "
                f"{after(alias, lease)}, {now(alias)}) ON CONFLICT DO NOTHING",
                (self.module, self.key.value, self.operation.name, self.fingerprint, state),
            )
        )


def replay(operation: Operation, stored: Stored) -> Any:
    """Give a stored answer again: return it, or raise the stored refusal."""
    if stored.state == _NEVER:
        raise NeverHappened(f"{operation.name} was called off under this key before it ran.")
    if stored.error:
        payload: dict[str, Any] = msgspec.json.decode(stored.error)
        error = operation.errors.get(payload["code"])
        if error is None:
            raise CallFailed(operation.name, f"it once raised {payload['code']}, now undeclared")
        fields = msgspec.convert(payload["fields"], error.payload_type())
        raise error(**{name: getattr(fields, name) for name in fields.__struct_fields__})
    if operation.returns is type(None) or operation.returns is None:
        return None
    return msgspec.json.decode(stored.answer, type=operation.returns)


def idempotency_key() -> str:
    """The key of the running command: the same for every repetition of the same call.

    An external command sends it to the other side, so that a repetition there has one effect.
    """
    key = current().key
    if key is None:
        raise RuntimeError("idempotency_key() is for the body of an external command.")
    return key
