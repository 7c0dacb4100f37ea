"""Ratios that hold on a busy machine: two cases in turns, the ratio of each pair, the median.

Absolute times on a shared machine move by a factor of two within minutes. Two measurements that
follow each other at once share most of that, so their ratio moves little.
"""

import gc
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles

type Case = Callable[[], float]
"""Runs once and gives seconds; what it prepares and clears up is outside the clock."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """What came out of a number of pairs."""

    ratios: tuple[float, ...]
    ours: tuple[float, ...]
    reference: tuple[float, ...]

    @property
    def value(self) -> float:
        """The median of the paired ratios."""
        return median(self.ratios)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Half of all pairs lie between these two."""
        if len(self.ratios) < 2:
            return self.value, self.value
        low, _, high = quantiles(self.ratios, n=4, method="inclusive")
        return low, high

    def inverse(self) -> "Comparison":
        """The reference's time as a multiple of ours: a ratio of rates."""
        return Comparison(
            ratios=tuple(1 / ratio for ratio in self.ratios),
            ours=self.ours,
            reference=self.reference,
        )


def compare(ours: Case, reference: Case, *, pairs: int, warm: int = 2) -> Comparison:
    """Run both in turns, who is first alternating; `warm` pairs before them do not count."""
    for _ in range(warm):
        reference()
        ours()
    taken: list[tuple[float, float]] = []
    gc.collect()
    gc.disable()  # a collection in one of a pair would be that one's cost by chance
    try:
        for number in range(pairs):
            if number % 2:
                one = ours()
                taken.append((one, reference()))
            else:
                other = reference()
                taken.append((ours(), other))
            if number % 16 == 15:
                gc.collect()
    finally:
        gc.enable()
    return Comparison(
        ratios=tuple(one / other for one, other in taken),
        ours=tuple(one for one, _ in taken),
        reference=tuple(other for _, other in taken),
    )


def once(function: Callable[[], object]) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def repeated(target: object, method: str, *, times: int, arguments: Mapping[str, object]) -> Case:
    """Seconds of one call among `times` of them, the loop itself subtracted.

    The call is compiled as a caller writes it: `target.method(name=name)`.
    """
    names = ", ".join(f"{name}={name}" for name in arguments)
    loop = _loop(f"target.{method}({names})", {"target": target, **arguments}, times)
    empty = _loop("pass", {}, times)

    def case() -> float:
        return (loop() - empty()) / times

    return case


def _loop(statement: str, names: Mapping[str, object], times: int) -> Case:
    parameters = ", ".join(["loop_times", *(f"{name}={name}" for name in names)])
    source = (
        f"def loop({parameters}):\n"
        "    start = perf_counter()\n"
        "    for _ in repeat(None, loop_times):\n"
        f"        {statement}\n"
        "    return perf_counter() - start\n"
    )
    known: dict[str, object] = {
        **names,
        "perf_counter": time.perf_counter,
        "repeat": itertools.repeat,
    }
    exec(source, known)  # noqa: S102 - the source above
    loop: Callable[[int], float] = known["loop"]  # type: ignore[assignment]  # defined above
    return partial(loop, times)
