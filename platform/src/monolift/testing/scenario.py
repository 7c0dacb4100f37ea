"""Running what would happen later, now: relay, handlers, tasks and sagas, in the test's thread."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from monolift.events import worker
from monolift.kernel import Event, SagaRun, clock
from monolift.observe import matrix
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from monolift.testing.announcing import announced

_PIECES = 1000


class Scenario:
    """Drives the platform from a test: no worker, no waiting, the test's own connection.

    def test_an_expired_hold_gives_back(scenario, inventory):
        inventory.reserve(...)
        scenario.travel(minutes=20)
        assert inventory.available(...) == ...
    """

    def run_until_idle(self) -> int:
        """Run everything that is due; the number of passes that found work.

        Raises RuntimeError when there is no end to it.
        """
        for count in range(_PIECES):
            busy = [alias for alias in worker.aliases() if worker.work_once(alias)]
            if not busy:
                return count
        raise RuntimeError(
            f"After {_PIECES} passes there is still work: something keeps making more of it."
        )

    def travel(self, **by: float) -> int:
        """Move the clock (`minutes=20`), then run everything that became due."""
        clock.travel(timedelta(**by))
        return self.run_until_idle()

    def settle(
        self, saga: Any, *, key: str, within: timedelta = timedelta(hours=2)
    ) -> SagaRun[Any]:
        """Run until a saga ended, moving the clock over its pauses; how it then stands.

        Raises AssertionError when it has not ended `within` that time of the clock.
        """
        gone = timedelta()
        while True:
            self.run_until_idle()
            run: SagaRun[Any] | None = saga.find(key=key)
            assert run is not None, f"There is no {saga.__name__} of key {key!r}."
            if run.status.ended:
                return run
            assert gone < within, f"{saga.__name__} is still {run.status}: {run.failure}"
            clock.travel(timedelta(seconds=61))
            gone += timedelta(seconds=61)

    def published[E: Event](self, event: type[E], /) -> list[E]:
        """The events of one class that were announced and committed, in their order.

        Those of fakes are among them.
        """
        rows = fetch(
            topology().alias(event.event_owner),
            "SELECT body FROM monolift_outbox WHERE name = %s ORDER BY number, event",
            (event.event_name,),
        )
        known = [msgspec.json.decode(body, type=event) for (body,) in rows]
        return known + [one for one in announced if isinstance(one, event)]

    @property
    def calls(self) -> list[str]:
        """The operations called since the scenario began, most often first."""
        return [entry.operation for entry in matrix.matrix()]

    def failed_deliveries(self) -> list[str]:
        """Deliveries that rest as failed, with their reasons."""
        return list(self._failed())

    def _failed(self) -> Iterator[str]:
        for alias in worker.aliases():
            for subscriber, failure in fetch(
                alias,
                "SELECT subscriber, failure FROM monolift_delivery WHERE state = 'failed'",
            ):
                yield f"{subscriber}: {failure}"
