"""A stream within the process, for tests: the same promises, nothing outside."""

import threading
from collections import deque
from collections.abc import Sequence
from time import monotonic

from monolift.events.streams.envelope import MAX_BATCH, Envelope, read
from monolift.events.streams.port import Accept, Misplaced, UnderWay
from monolift.events.streams.sending import PATIENCE, Patience, encoded, settle
from monolift.kernel.errors import Unavailable

_SENT, _KEPT, _ELSEWHERE = "sent", "kept", "elsewhere"


class Exchange:
    """What the streams of one process share: a queue for each deployable."""

    def __init__(self) -> None:
        self.queues: dict[str, deque[bytes]] = {}
        self.answers: dict[tuple[str, str], str] = {}
        self.reading = threading.Lock()
        self.changed = threading.Condition()
        self.reachable = True

    def put(self, to: str, messages: Sequence[bytes]) -> None:
        """Append messages, as they are."""
        with self.changed:
            self.queues.setdefault(to, deque()).extend(messages)
            self.changed.notify_all()

    def empty(self) -> None:
        """Lose everything."""
        with self.changed:
            self.queues.clear()
            self.answers.clear()
            self.changed.notify_all()


class MemoryStream:
    """See `port.Source`. `name` is the deployable that it receives for."""

    def __init__(self, exchange: Exchange, *, name: str, patience: float = PATIENCE) -> None:
        self._exchange = exchange
        self._name = name
        self._patience = Patience(patience)

    def send(self, *, to: str, batch: Sequence[Envelope]) -> None:
        """See `port.Stream`."""
        messages, refused = encoded(batch)
        misplaced: set[str] = set()
        until = self._patience.until(to)
        with self._exchange.changed:
            while messages:
                self._reach()
                self._offer(to, messages, misplaced)
                left = until - monotonic()
                if messages and left <= 0:
                    self._patience.silent(to)
                    raise UnderWay("the memory stream", f"{to} has not read it yet")
                if messages:
                    self._exchange.changed.wait(left)
        self._patience.answered(to)
        settle(to, misplaced=misplaced, refused=refused)

    def _offer(self, to: str, messages: dict[str, bytes], misplaced: set[str]) -> None:
        """Put there what is not there; take out of `messages` what is answered."""
        answers = self._exchange.answers
        for identifier, message in [*messages.items()]:
            answer = answers.setdefault((to, identifier), "")
            if not answer:
                answers[to, identifier] = _SENT
                self._exchange.put(to, [message])
            elif answer != _SENT:
                del answers[to, identifier], messages[identifier]
                if answer == _ELSEWHERE:
                    misplaced.add(identifier)

    def start(self) -> None:
        """See `port.Source`."""
        self._reach()

    def receive(self, *, accept: Accept, wait: float) -> int:
        """See `port.Source`. One reader at a time."""
        self._reach()
        exchange = self._exchange
        if not exchange.reading.acquire(timeout=wait):
            return 0
        try:
            with exchange.changed:
                exchange.changed.wait_for(lambda: exchange.queues.get(self._name), wait)
                queue = exchange.queues.setdefault(self._name, deque())
                messages = [queue[index] for index in range(min(len(queue), MAX_BATCH))]
            if messages:
                self._take(queue, messages, accept)
            return len(messages)
        finally:
            exchange.reading.release()

    def _take(self, queue: deque[bytes], messages: Sequence[bytes], accept: Accept) -> None:
        arrived = [read(message) for message in messages]
        misplaced: frozenset[str] = frozenset()
        try:
            accept(arrived)
        except Misplaced as error:
            misplaced = error.events
        with self._exchange.changed:
            for one in arrived:
                if queue:  # it may have been emptied meanwhile
                    queue.popleft()
                if (self._name, one.id) in self._exchange.answers:
                    answer = _ELSEWHERE if one.id in misplaced else _KEPT
                    self._exchange.answers[self._name, one.id] = answer
            self._exchange.changed.notify_all()

    def stop(self) -> None:
        """See `port.Stream`."""

    def _reach(self) -> None:
        if not self._exchange.reachable:
            raise Unavailable("the memory stream", "it is cut off")
