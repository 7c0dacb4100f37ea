"""What became of events sent by Kafka: what their readers have told with their offsets."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from monolift.events.streams.offsets import Place, Told
from monolift.events.streams.port import UnderWay
from monolift.events.streams.sending import Patience
from monolift.kernel.errors import Unavailable

_LOOK = 0.02  # seconds between two looks at what the other side has committed
_REMEMBERED = 10_000  # events that are under way


class Answers:
    """Where events are that were sent, and what is told of these places. Safe for threads.

    It is in memory only: who has forgotten where an event is, sends it once more.
    """

    def __init__(
        self, make: Callable[[dict[str, Any]], Consumer], *, timeout: float, patience: float
    ) -> None:
        """`make` connects a consumer; `timeout` is seconds for an answer of the brokers, `patience`
        those that are waited for a reader.
        """
        self._make = make
        self._timeout = timeout
        self._patience = Patience(patience)
        self._making = threading.Lock()
        self._onlookers: dict[str, Consumer] = {}
        self._sent: dict[tuple[str, str], tuple[Place, int]] = {}

    def under_way(self, to: str, event: str) -> bool:
        """Whether it need not be sent, because it was, and nothing is known of it yet."""
        return (to, event) in self._sent

    def sent(self, to: str, event: str, place: Place, offset: int) -> None:
        """Remember where an event is."""
        while len(self._sent) >= _REMEMBERED:
            self._sent.pop(next(iter(self._sent)), None)
        self._sent[to, event] = (place, offset)

    def until_kept(self, to: str, events: Iterable[str]) -> set[str]:
        """Wait until all are kept, or not (those it returns).

        Raises UnderWay when some were not read in time, Unavailable without an answer.
        """
        until = self._patience.until(to)
        misplaced: set[str] = set()
        waiting = set(events)
        while waiting:
            told = self._told(to, waiting)
            for event in [*waiting]:
                place, offset = self._sent.get((to, event), (None, 0))
                kept = told.get(place, Told()).kept(offset) if place else False
                if kept is None:
                    continue
                waiting.discard(event)
                self._sent.pop((to, event), None)
                self._patience.answered(to)
                if not kept:
                    misplaced.add(event)
            if waiting and time.monotonic() >= until:
                self._patience.silent(to)
                self._forget_lost(to, waiting)
                raise UnderWay("the Kafka stream", f"{to} has not read it yet")
            if waiting:
                time.sleep(_LOOK)
        return misplaced

    def _told(self, to: str, events: Iterable[str]) -> dict[Place, Told]:
        places = self._places(to, events)
        if not places:
            return {}
        try:
            committed = self._onlooker(to).committed(
                [TopicPartition(*place) for place in places], timeout=self._timeout
            )
        except KafkaException as error:
            raise Unavailable("the Kafka stream", error.args[0].str()) from error
        return {
            (one.topic, one.partition): Told.read(one.offset, one.metadata or "")
            for one in committed
        }

    def _forget_lost(self, to: str, events: Iterable[str]) -> None:
        """Forget what the topics do not have any more, so that it is sent again."""
        found: dict[Place, tuple[int, int]] = {}
        for place in self._places(to, events):
            try:
                low, high = self._onlooker(to).get_watermark_offsets(
                    TopicPartition(*place), timeout=self._timeout
                )
            except KafkaException:
                continue  # it is looked for again the next time
            found[place] = (low, high)
        for event in events:
            place, offset = self._sent.get((to, event), (("", 0), 0))
            low, high = found.get(place, (offset, offset + 1))
            if not low <= offset < high:
                self._sent.pop((to, event), None)

    def _places(self, to: str, events: Iterable[str]) -> list[Place]:
        known = [self._sent.get((to, event)) for event in events]
        return sorted({where[0] for where in known if where is not None})

    def _onlooker(self, to: str) -> Consumer:
        """One that asks what a group has committed, and never joins it."""
        with self._making:
            if to not in self._onlookers:
                self._onlookers[to] = self._make({"group.id": to, "enable.auto.commit": False})
            return self._onlookers[to]

    def stop(self) -> None:
        """Let connections go."""
        with self._making:
            onlookers, self._onlookers = self._onlookers, {}
        for onlooker in onlookers.values():
            onlooker.close()
