"""A payment provider for development and tests: it moves no money.

It behaves as a real one does: its effects are outside the shop's transactions and survive restarts
(a file of its own, `PAYMENTS["SANDBOX_FILE"]`), and it answers a repeated key with what it did. It
takes test cards only, and keeps of a card the last four digits and how it is to behave.

    4242 4242 4242 4242   succeeds
    4000 0000 0000 0002   is declined
    4000 0000 0000 9995   has insufficient funds
    4000 0000 0000 0119   succeeds, but the answer to the first request is lost
    4000 0000 0000 3220   needs 3-D Secure: declined until its customer agreed on the bank's page
"""

import hashlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import settings

from modules.payments.interface import Challenge, ChallengeId, ChallengeState
from modules.payments.provider import Declined, KeyReused, RefundRefused
from monolift.kernel import Money, Unavailable

_SUCCEEDS, _DECLINED, _NO_FUNDS, _ANSWER_LOST = "succeeds", "declined", "no_funds", "answer_lost"
_CHALLENGED = "challenged"

TEST_CARDS = {
    "4242424242424242": _SUCCEEDS,
    "4000000000000002": _DECLINED,
    "4000000000009995": _NO_FUNDS,
    "4000000000000119": _ANSWER_LOST,
    "4000000000003220": _CHALLENGED,
}
_REFUSALS = {
    _DECLINED: "your bank declined it",
    _NO_FUNDS: "there is not enough money on it",
}
_NOT_AUTHENTICATED = "authentication was not completed"
_BANK = "/sandbox/bank/{}"
_TABLES = """
    CREATE TABLE IF NOT EXISTS card (
        token TEXT PRIMARY KEY, behaviour TEXT NOT NULL, last4 TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS charge (
        id TEXT PRIMARY KEY, state TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
        refunded INTEGER NOT NULL DEFAULT 0, last4 TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS request (
        key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, answer TEXT NOT NULL, error TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS challenge (
        id TEXT PRIMARY KEY, token TEXT NOT NULL, reference TEXT NOT NULL, amount INTEGER NOT NULL,
        currency TEXT NOT NULL, state TEXT NOT NULL, used_by TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX IF NOT EXISTS challenge_of_token ON challenge (token);
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """A charge as the provider's books show it."""

    id: str
    state: str
    amount: Money
    refunded: Money
    last4: str


class SandboxProvider:
    """Answers `Provider` from a SQLite file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: tuple[str, int] = ("", 0)
        self._connection: sqlite3.Connection | None = None

    def tokenise(self, *, number: str, expiry: str, cvc: str) -> str:
        """See `Provider.tokenise`."""
        behaviour = TEST_CARDS.get(number)
        if behaviour is None:
            raise ValueError("this is a test shop: use one of its test cards, never a real one")
        token = f"tok_{secrets.token_urlsafe(18)}"
        with self._transaction() as books:
            books.execute("INSERT INTO card VALUES (?, ?, ?)", (token, behaviour, number[-4:]))
        return token

    def challenge(self, *, reference: UUID, amount: Money, token: str) -> Challenge | None:
        """See `Provider.challenge`."""
        with self._transaction() as books:
            card = books.execute("SELECT behaviour FROM card WHERE token = ?", (token,)).fetchone()
            if card is None or card[0] != _CHALLENGED:
                return None
            known = books.execute(
                f"{_CHALLENGES} WHERE token = ? AND reference = ? AND amount = ? AND currency = ? "
                "AND state <> 'failed' AND used_by = ''",
                (token, str(reference), amount.amount, amount.currency),
            ).fetchone()
            if known is not None:
                return _challenge(known)
            row = (str(uuid4()), str(reference), amount.amount, amount.currency, "open")
            books.execute(
                "INSERT INTO challenge (id, reference, amount, currency, state, token) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (*row, token),
            )
        return _challenge(row)

    def answer(self, *, challenge: UUID, passed: bool) -> None:
        """See `Provider.answer`."""
        self.challenged(challenge=challenge)
        with self._transaction() as books:
            books.execute(
                "UPDATE challenge SET state = ? WHERE id = ? AND state = 'open'",
                ("passed" if passed else "failed", str(challenge)),
            )

    def challenged(self, *, challenge: UUID) -> Challenge:
        """See `Provider.challenged`."""
        with self._transaction() as books:
            row = books.execute(f"{_CHALLENGES} WHERE id = ?", (str(challenge),)).fetchone()
        if row is None:
            raise LookupError(f"There is no challenge {challenge}.")
        return _challenge(row)

    def authorise(self, *, key: str, amount: Money, token: str) -> str:
        """See `Provider.authorise`."""
        request = f"authorise {amount.amount} {amount.currency} {token}"
        with self._transaction() as books:
            known = _known(books, key, request)
            if known is not None:
                answer, error = known
                if error:
                    raise Declined(error)
                return answer
            card = books.execute(
                "SELECT behaviour, last4 FROM card WHERE token = ?", (token,)
            ).fetchone()
            behaviour, last4 = card or (_DECLINED, "")
            error = _REFUSALS.get(behaviour, "") if card else "the card token is not known"
            if behaviour == _CHALLENGED and not _authenticated(books, key, amount, token):
                error = _NOT_AUTHENTICATED
            charge = f"ch_{hashlib.sha256(key.encode()).hexdigest()[:24]}"
            if not error:
                books.execute(
                    "INSERT INTO charge (id, state, amount, currency, last4) "
                    "VALUES (?, 'authorised', ?, ?, ?)",
                    (charge, amount.amount, amount.currency, last4),
                )
            _remember(books, key, request, charge, error)
        if error:
            raise Declined(error)
        if behaviour == _ANSWER_LOST:
            raise Unavailable("payments.provider", "the answer of the card network was lost")
        return charge

    def capture(self, *, key: str, charge: str) -> None:
        """See `Provider.capture`."""
        self._change(key, charge, since="authorised", to="captured")

    def void(self, *, key: str, charge: str) -> None:
        """See `Provider.void`."""
        self._change(key, charge, since="authorised", to="voided")

    def refund(self, *, key: str, charge: str, amount: Money) -> None:
        """See `Provider.refund`."""
        request = f"refund {charge} {amount.amount} {amount.currency}"
        with self._transaction() as books:
            if _known(books, key, request) is not None:
                return
            changed = books.execute(
                "UPDATE charge SET refunded = refunded + ? WHERE id = ? AND state = 'captured' "
                "AND currency = ? AND refunded + ? <= amount",
                (amount.amount, charge, amount.currency, amount.amount),
            )
            if not changed.rowcount:
                raise RefundRefused(charge)
            _remember(books, key, request, "", "")

    def charges(self) -> list[Charge]:
        """All charges, oldest first. For tests and for looking at."""
        with self._transaction() as books:
            rows = books.execute(
                "SELECT id, state, amount, currency, refunded, last4 FROM charge ORDER BY rowid"
            ).fetchall()
        return [
            Charge(
                id=identifier,
                state=state,
                amount=Money(amount, currency),
                refunded=Money(refunded, currency),
                last4=last4,
            )
            for identifier, state, amount, currency, refunded, last4 in rows
        ]

    def _change(self, key: str, charge: str, *, since: str, to: str) -> None:
        request = f"{to} {charge}"
        with self._transaction() as books:
            if _known(books, key, request) is not None:
                return
            changed = books.execute(
                "UPDATE charge SET state = ? WHERE id = ? AND state = ?", (to, charge, since)
            )
            if not changed.rowcount:
                raise ValueError(f"The charge {charge} is not {since}, so it cannot be {to}.")
            _remember(books, key, request, "", "")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            books = self._open()
            books.execute("BEGIN IMMEDIATE")
            try:
                yield books
            except BaseException:
                books.execute("ROLLBACK")
                raise
            books.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        """The connection of this process; a file's handle must not be used after a fork."""
        path = str(settings.PAYMENTS["SANDBOX_FILE"])
        if self._connection is not None and self._opened == (path, os.getpid()):
            return self._connection
        if self._connection is not None and self._opened[1] == os.getpid():
            self._connection.close()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=5
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)
        self._opened = (path, os.getpid())
        return self._connection


_CHALLENGES = "SELECT id, reference, amount, currency, state FROM challenge"


def _challenge(row: tuple[str, str, int, str, str]) -> Challenge:
    identifier, reference, amount, currency, state = row
    return Challenge(
        id=ChallengeId(UUID(identifier)),
        url=_BANK.format(identifier),
        reference=UUID(reference),
        amount=Money(amount, currency),
        state=ChallengeState(state),
    )


def _authenticated(books: sqlite3.Connection, key: str, amount: Money, token: str) -> bool:
    """Use up the customer's consent to an amount, if there is one.

    Consent is to one payment of at most the amount that was shown (dynamic linking, Article 5 of
    Delegated Regulation (EU) 2018/389).
    """
    used = books.execute(
        "UPDATE challenge SET used_by = ? WHERE id = (SELECT id FROM challenge WHERE token = ? "
        "AND state = 'passed' AND used_by = '' AND currency = ? AND amount >= ? "
        "ORDER BY amount LIMIT 1)",
        (key, token, amount.currency, amount.amount),
    )
    return used.rowcount == 1


def _known(books: sqlite3.Connection, key: str, request: str) -> tuple[str, str] | None:
    """What was answered under a key: (answer, error)."""
    row = books.execute(
        "SELECT fingerprint, answer, error FROM request WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        return None
    if row[0] != request:
        raise KeyReused(f"The key {key!r} was used before for another request.")
    return row[1], row[2]


def _remember(books: sqlite3.Connection, key: str, request: str, answer: str, error: str) -> None:
    books.execute("INSERT INTO request VALUES (?, ?, ?, ?)", (key, request, answer, error))
