"""What a page or an endpoint is made of, and what becomes of it when a module is silent.

    HOME = Composition("home")
    products = part(catalog.products, of=[HOME])
    stock = part(inventory.available, of=[HOME], otherwise=None, without="no word on stock")

A part is called as its query is. One that has `otherwise` never fails because its module is silent;
a refusal (`DomainError`) is an answer, and passes. One without is needed: its composition fails
with `Unavailable`. An answer may be kept (`fresh_for`) and stand in for silence (`stands_for`),
which is tried before `otherwise`.

`monolift docs` writes what is declared here into the module's page, and a test can turn each module
off and see that it is true (`compositions`).
"""

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any, Final, overload

from monolift.gateway import kept
from monolift.kernel import CallFailed, DeclarationError, Operation, Unavailable
from monolift.observe.logs import logger
from monolift.registry.callers import acting_for
from monolift.registry.modules import module_of
from monolift.registry.proxies import Binding, behind
from monolift.registry.scope import calling_file
from monolift.registry.topology import topology

type Seconds = float | Callable[[], float]
"""A number, or what gives one when it is needed: a setting that may change."""

log = logger("monolift.parts")


class _Needed:
    def __repr__(self) -> str:
        return "NEEDED"


NEEDED: Final = _Needed()
has_stand_in: ContextVar[bool] = ContextVar("monolift_has_stand_in", default=False)
"""Whether the running call may be silent: something stands in for its answer."""
_declared: list["Composition"] = []


class Composition:
    """A page or an endpoint that asks several modules."""

    def __init__(self, name: str, /) -> None:
        self.name = name
        self.module = module_of(calling_file(depth=1)) or ""
        """The module that declares it; empty for code outside the modules."""
        self.parts: list[Part[..., Any]] = []
        _declared.append(self)

    def __repr__(self) -> str:
        return f"Composition({self.name!r})"


class Part[**P, T]:
    """A query, as a composition asks it. Made by `part`."""

    def __init__(
        self,
        binding: Binding,
        operation: Operation,
        *,
        of: Iterable[Composition],
        otherwise: Any,
        without: str,
        through: Iterable[str],
        fresh_for: Seconds,
        stands_for: Seconds,
    ) -> None:
        self.operation = operation
        self.through = tuple(through)
        self.of = tuple(of)
        self.otherwise = otherwise
        self.without = without
        self._binding = binding
        self._fresh_for = fresh_for
        self._stands_for = stands_for
        for composition in self.of:
            composition.parts.append(self)

    @property
    def needed(self) -> bool:
        """Whether its compositions fail when its module is silent."""
        return self.otherwise is NEEDED

    @property
    def module(self) -> str:
        """The label of the module that answers."""
        return self._binding.module

    @property
    def modules(self) -> tuple[str, ...]:
        """The labels of the modules that it needs an answer of, its own first."""
        return (self.module, *self.through)

    @property
    def stands_for(self) -> float:
        """Seconds that an answer may stand in for silence."""
        return _seconds(self._stands_for)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """What the module answers, or what stands in for it."""
        fresh_for = _seconds(self._fresh_for)
        if not fresh_for:
            return self._asked(kwargs)
        asked, now = kept.question(self.operation.name, kwargs), kept.now()
        found = kept.look(asked)
        if found is not None and now < found.ask_again:
            return found.answer  # type: ignore[no-any-return]  # kept by the same question
        try:
            with acting_for(None):  # others are given the answer, too
                answer = self._call(kwargs)
        except (Unavailable, CallFailed) as error:
            if found is None or now >= found.until:
                return self._instead(error)
            log.warning("an older answer stands in", part=self.operation.name, exc_info=error)
            # Nobody else waits for the same silence for a while.
            kept.keep(asked, found._replace(ask_again=now + fresh_for))
            return found.answer  # type: ignore[no-any-return]  # kept by the same question
        kept.keep(asked, kept.Kept(answer, now + fresh_for, now + self.stands_for))
        return answer

    def is_quick(self, arguments: dict[str, Any]) -> bool:
        """Whether the answer comes from this process, so that nothing waits for another one."""
        if self._binding.replacement is not None or topology().hosts(self.module):
            return True
        if not _seconds(self._fresh_for):
            return False
        found = kept.look(kept.question(self.operation.name, arguments))
        return found is not None and kept.now() < found.ask_again

    def _asked(self, arguments: dict[str, Any]) -> T:
        try:
            return self._call(arguments)
        except (Unavailable, CallFailed) as error:
            return self._instead(error)

    def _call(self, arguments: dict[str, Any]) -> T:
        method = getattr(self._binding.proxy, self.operation.method)
        if self.needed:
            answer: T = method(**arguments)
            return answer
        token = has_stand_in.set(True)
        try:
            answer = method(**arguments)
        finally:
            has_stand_in.reset(token)
        return answer

    def _instead(self, error: Unavailable | CallFailed) -> T:
        if self.otherwise is NEEDED:
            raise error
        log.warning("a part is missing", part=self.operation.name, exc_info=error)
        return self.otherwise  # type: ignore[no-any-return]  # T includes its type


@overload
def part[**P, T](
    query: Callable[P, T],
    /,
    *,
    of: Sequence[Composition],
    through: Sequence[str] = ...,
    fresh_for: Seconds = ...,
    stands_for: Seconds = ...,
) -> Part[P, T]: ...


@overload
def part[**P, T, D](
    query: Callable[P, T],
    /,
    *,
    of: Sequence[Composition],
    otherwise: D,
    without: str,
    through: Sequence[str] = ...,
    fresh_for: Seconds = ...,
    stands_for: Seconds = ...,
) -> Part[P, T | D]: ...


def part(
    query: Callable[..., Any],
    /,
    *,
    of: Sequence[Composition],
    otherwise: Any = NEEDED,
    without: str = "",
    through: Sequence[str] = (),
    fresh_for: Seconds = 0,
    stands_for: Seconds = 0,
) -> Part[..., Any]:
    """Declare a part: a query of an interface, `catalog.products`, and the compositions it is in.

    `otherwise` is what stands for its answer when its module is silent, `without` what the reader
    then misses, in a few words. `through` are the labels of modules that the query asks in turn and
    cannot do without. An answer is good for `fresh_for` seconds without asking again, and
    stands in for silence for `stands_for` seconds: it is asked for on no user's behalf, and given
    to all. Raises DeclarationError for what is no query.
    """
    found = behind(query)
    if found is None or found[1].kind != "query":
        raise DeclarationError(
            f"part({query!r}): not a query of an interface. Give one of a proxy: "
            "`part(catalog.products, of=[HOME])` with `catalog = use(Catalog)`."
        )
    if (otherwise is NEEDED) != (not without):
        raise DeclarationError(
            f"part({found[1].name}): `otherwise` and `without` belong together: what stands in for "
            "the answer, and what its reader misses then."
        )
    binding, operation = found
    return Part(
        binding,
        operation,
        of=of,
        otherwise=otherwise,
        without=without,
        through=through,
        fresh_for=fresh_for,
        stands_for=stands_for,
    )


def compositions(*, module: str | None = None) -> tuple[Composition, ...]:
    """The declared ones, those of a module if one is named."""
    return tuple(one for one in _declared if module in (None, one.module))


def _seconds(given: Seconds) -> float:
    return given() if callable(given) else given
