"""A stream within the process, for tests: the same promises, nothing outside."""

import threading
from collections import deque
from collections.abc import Sequence

from monolift.events.streams.envelope import MAX_BATCH, Envelope, read
from monolift.events.streams.port import Accept, Refused
from monolift.events.streams.sending import encoded
from monolift.kernel.errors import Unavailable


class Exchange:
    """What the streams of one process share: a queue for each deployable."""

    def __init__(self) -> None:
        self.queues: dict[str, deque[bytes]] = {}
        self.reading = threading.Lock()
        self.changed = threading.Condition()
        self.reachable = True

    def put(self, to: str, messages: Sequence[bytes]) -> None:
        """Append messages, as they are."""
        with self.changed:
            self.queues.setdefault(to, deque()).extend(messages)
            self.changed.notify_all()


class MemoryStream:
    """See `port.Source`. `name` is the deployable that it receives for."""

    def __init__(self, exchange: Exchange, *, name: str) -> None:
        self._exchange = exchange
        self._name = name

    def send(self, *, to: str, batch: Sequence[Envelope]) -> None:
        """See `port.Stream`."""
        self._reach()
        messages, refused = encoded(batch)
        self._exchange.put(to, messages)
        if refused:
            raise Refused(refused)

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
                accept([read(message) for message in messages])
                for _ in messages:
                    queue.popleft()
            return len(messages)
        finally:
            exchange.reading.release()

    def stop(self) -> None:
        """See `port.Stream`."""

    def _reach(self) -> None:
        if not self._exchange.reachable:
            raise Unavailable("the memory stream", "it is cut off")
