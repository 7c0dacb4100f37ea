"""The worker: threads that relay, run deliveries and go on with sagas until told to stop."""

import threading
from collections.abc import Callable
from functools import partial
from time import monotonic

from django.db import close_old_connections, connections, reset_queries

from monolift.events import handling, handover, relay
from monolift.events.executors import executor
from monolift.events.pools import Pool, pools
from monolift.events.streams import chosen
from monolift.events.streams.arrive import others, publishers
from monolift.events.streams.reader import Reader
from monolift.events.upkeep import Upkeep
from monolift.events.wake import Listener, signal
from monolift.observe.logs import logger
from monolift.registry.fence import behind_a_fence
from monolift.registry.modules import modules
from monolift.registry.places import DEFAULT_ALIAS
from monolift.registry.settings import setting
from monolift.registry.topology import modules_on, no_more, on_change, topology
from monolift.truth.follow import follow

log = logger("monolift.worker")

type Source = Callable[[str], bool]

type Companion = Callable[[threading.Event], None]
"""Runs beside the worker, until the event is set."""

_sources: list[Source] = []
_companions: list[Companion] = []
_MOVING = 0.02
"""Seconds until work is looked for again that a fence has refused."""
_PATIENCE = 30.0
"""Seconds that running work has to end when the topology changes."""


def register_source(source: Source) -> None:
    """Add a kind of work: called with an alias, it does one piece if there is one, and says so."""
    _sources.append(source)


def register_companion(companion: Companion) -> None:
    """Add what every worker process runs in a thread of its own."""
    if companion not in _companions:
        _companions.append(companion)


def aliases() -> list[str]:
    """The databases of the modules that this deployable runs."""
    known = topology()
    here = {known.alias(label) for label in modules() if known.runs(label)}
    return sorted(here or {DEFAULT_ALIAS})


class EmptyOutboxes:
    """Outboxes that had nothing for this thread: looked at again at the next knock, or after POLL.

    As for a worker that has nothing at all to do. One with a backlog does not ask for each batch.
    """

    def __init__(self) -> None:
        self._since: dict[str, tuple[int, float]] = {}

    def add(self, alias: str, *, knocks: int) -> None:
        """Nothing was there; the knocks had been counted before."""
        self._since[alias] = knocks, monotonic()

    def __contains__(self, alias: str) -> bool:
        """Whether nothing was there, and nobody has knocked since."""
        knocks, since = self._since.get(alias, (-1, 0.0))
        return knocks == signal.count and monotonic() < since + setting("POLL")


def work_once(alias: str, pool: Pool | None = None, *, empty: EmptyOutboxes | None = None) -> bool:
    """Relay, hand over, run a batch, then one piece of each other kind of work.

    Batches are of the pool's modules, or of all. False when there was nothing to do. With `empty`,
    an outbox that is among them is passed by.
    """
    mine = [label for label in modules_on(alias) if pool is None or label in pool.modules]
    found = False
    if empty is None or alias not in empty:
        knocks = signal.count
        relayed = relay.relay(alias, claim=mine if executor().runs_here else ())
        handling.run(alias, relayed.claimed)
        found = relayed.events > 0
        if empty is not None and not found:
            empty.add(alias, knocks=knocks)
    if relay.audience(alias).elsewhere or relay.anything_left(alias):
        found = handover.hand_over(alias) > 0 or found
    found = executor().work(alias, mine) or found
    for source in _sources:
        found = source(alias) or found
    return found


class Worker:
    """Runs in the embedded setting; with Celery it only relays and hands out.

    When the topology changes it begins anew, with the modules and databases that are here then:
    what is running is finished, what is due stays due.
    """

    def __init__(self, *, threads: int | None = None) -> None:
        self._count = threads
        self._crew = _Crew(threads)
        self._stopping = threading.Event()
        self._changed = threading.Event()
        self._renewing = False
        self._foreman = threading.Thread(target=self._renew, name="monolift-foreman", daemon=True)

    def start(self) -> None:
        """Start the threads, and follow the topology."""
        on_change(self._changed.set)
        self._crew.start()
        self._foreman.start()
        for companion in _companions:
            threading.Thread(target=companion, args=(self._stopping,), daemon=True).start()
        follow()

    @property
    def working(self) -> bool:
        """Whether every thread of it runs. What stands still in one is told by what is late."""
        return self._foreman.is_alive() and (self._renewing or self._crew.working)

    def stop(self, *, timeout: float = 30.0) -> bool:
        """Finish what is running and end; False when something still runs after `timeout`."""
        no_more(self._changed.set)
        self._stopping.set()
        self._changed.set()
        deadline = monotonic() + timeout
        self._foreman.join(timeout)
        return not self._foreman.is_alive() and self._crew.stop(
            timeout=max(deadline - monotonic(), 0)
        )

    def _renew(self) -> None:
        while True:
            self._changed.wait()
            if self._stopping.is_set():
                return
            self._changed.clear()
            log.info("worker begins anew for another topology", epoch=topology().epoch)
            self._renewing = True
            if not self._crew.stop(timeout=_PATIENCE):
                log.warning("work begun before is still running beside what is new")
            self._crew = _Crew(self._count)
            self._crew.start()
            self._renewing = False


class _Crew:
    """The threads of one topology."""

    def __init__(self, threads: int | None) -> None:
        self._stopping = threading.Event()
        self._listener = Listener(aliases())
        self._reader: Reader | None = None
        self._upkeep = Upkeep(aliases)
        rest, *others = pools() if executor().runs_here else [Pool(tuple(modules()), 1)]
        self._threads = [
            threading.Thread(
                target=self._loop,
                args=(partial(work_once, pool=rest, empty=EmptyOutboxes()),),
                name=f"monolift-worker-{number}",
                daemon=True,
            )
            for number in range(threads or setting("WORKER_THREADS"))
        ]
        self._threads += [
            threading.Thread(
                target=self._loop,
                args=(lambda alias, pool=pool: _run_only(alias, pool),),
                name=f"monolift-worker-{'-'.join(pool.modules)}-{number}",
                daemon=True,
            )
            for pool in others
            for number in range(pool.workers)
        ]

    def start(self) -> None:
        """Start the threads, and one that reads the stream when events come in by one."""
        self._listener.start()
        if (publishers() or others()) and (source := chosen.source()) is not None:
            self._reader = Reader(source)
            self._reader.start()
        for thread in (*self._threads, self._upkeep):
            thread.start()

    @property
    def working(self) -> bool:
        """Whether all of them run."""
        return all(thread.is_alive() for thread in (*self._threads, self._upkeep))

    def stop(self, *, timeout: float) -> bool:
        """Finish what is running and end; False when something still runs after `timeout`."""
        self._stopping.set()
        self._upkeep.stop()
        signal.set()
        deadline = monotonic() + timeout
        ended = self._reader is None or self._reader.stop(timeout=timeout)
        for thread in (*self._threads, self._upkeep):
            thread.join(max(deadline - monotonic(), 0))
        self._listener.stop()
        return ended and not any(thread.is_alive() for thread in self._threads)

    def _loop(self, work: Callable[[str], bool]) -> None:
        while not self._stopping.is_set():
            seen = signal.count
            busy = [alias for alias in aliases() if self._work(work, alias)]
            reset_queries()  # with DEBUG, Django keeps each statement until a request begins
            if not busy:
                close_old_connections()
                signal.wait(seen, timeout=setting("POLL"))
        connections.close_all()

    def _work(self, work: Callable[[str], bool], alias: str) -> bool:
        try:
            return work(alias)
        except Exception as error:
            if behind_a_fence(error):  # which has looked for news, so that the next turn is right
                log.info("work is looked for where its module is now", reason=str(error))
                self._stopping.wait(_MOVING)
                return True
            log.error("worker could not look for work", exc_info=error)
            close_old_connections()
            self._stopping.wait(setting("POLL"))
            return False


def _run_only(alias: str, pool: Pool) -> bool:
    """What a worker does that is there for some modules alone."""
    mine = [label for label in modules_on(alias) if label in pool.modules]
    return bool(mine) and handling.run_due(alias, modules=mine)
