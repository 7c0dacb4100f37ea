"""Sagas: processes over several modules, declared as a class whose steps run in order."""

import inspect
from collections.abc import Callable
from dataclasses import InitVar, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Concatenate,
    Protocol,
    Self,
    dataclass_transform,
    get_type_hints,
    overload,
)
from uuid import UUID

import msgspec

from monolift.kernel.errors import DeclarationError, DomainError
from monolift.kernel.events import Event
from monolift.kernel.interface import Interface, Operation, operation_of, operations_of
from monolift.kernel.names import owner_of, place_of, snake
from monolift.kernel.wire_types import check_fields

if TYPE_CHECKING:
    from typing_extensions import TypeForm

DEFAULT_ATTEMPTS = 5


def seconds(count: float) -> timedelta:
    """`within=seconds(30)`."""
    return timedelta(seconds=count)


def minutes(count: float) -> timedelta:
    """`within=minutes(15)`."""
    return timedelta(minutes=count)


def hours(count: float) -> timedelta:
    """`within=hours(2)`."""
    return timedelta(hours=count)


def days(count: float) -> timedelta:
    """`within=days(2)`."""
    return timedelta(days=count)


class Step[S: "Saga"]:
    """One step of a saga: its action, its undo, and what it touches."""

    def __init__(
        self,
        *,
        action: Callable[..., None],
        calls: tuple[Any, ...] = (),
        pivot: bool = False,
        answer: bool = False,
        awaits: tuple[type[Event], ...] = (),
        match: str | None = None,
        within: timedelta | None = None,
    ) -> None:
        self.action = action
        self.name = action.__name__
        self.undo_action: Callable[[S], None] | None = None
        self.pivot = pivot
        self.answer = answer
        self.awaits = awaits
        self.match = match
        self.within = within
        self.declared_calls = calls
        self.__doc__ = action.__doc__

    def undo(self, function: Callable[[S], None], /) -> Callable[[S], None]:
        """Declare how to take this step back. It must be harmless when run twice."""
        if self.undo_action is not None:
            raise DeclarationError.at(
                function,
                f"The step {self.name!r} has two undos.",
                f"Keep one of {self.undo_action.__name__!r} and {function.__name__!r}.",
            )
        self.undo_action = function
        return function

    @cached_property
    def calls(self) -> tuple[Operation, ...]:
        """The operations the action may call; an interface in `calls=` stands for all of its."""
        found: list[Operation] = []
        for target in self.declared_calls:
            operation = operation_of(target)
            found += [operation] if operation else operations_of(target).values()
        return tuple(found)

    @property
    def interfaces(self) -> tuple[type[Any], ...]:
        """The interfaces that the action or the undo may call."""
        return tuple(dict.fromkeys(operation.interface for operation in self.calls))

    @property
    def commands(self) -> tuple[Operation, ...]:
        """Those of `calls` that change something."""
        return tuple(operation for operation in self.calls if operation.kind == "command")

    def __repr__(self) -> str:
        return f"<step {self.name}>"


class _StepDecorator(Protocol):
    def __call__[S: "Saga"](self, action: Callable[[S], None], /) -> Step[S]: ...


class _AwaitingStepDecorator[E: Event](Protocol):
    def __call__[S: "Saga"](self, action: Callable[[S, E], None], /) -> Step[S]: ...


if TYPE_CHECKING:
    # An interface (`calls=Inventory`) or one of its methods (`calls=Inventory.reserve`). An empty
    # Protocol would match every class: `__interface__` makes it nominal for both checkers.
    type Call[I: Interface] = TypeForm[Interface] | Callable[Concatenate[I, ...], Any]


@overload
def step[S: "Saga"](action: Callable[[S], None], /) -> Step[S]: ...
@overload
def step(*, pivot: bool = ..., answer: bool = ...) -> _StepDecorator: ...
@overload
def step[I: Interface](
    *, calls: "Call[I]", pivot: bool = ..., answer: bool = ...
) -> _StepDecorator: ...
@overload
def step[I: Interface, J: Interface](
    *, calls: "tuple[Call[I], Call[J]]", pivot: bool = ..., answer: bool = ...
) -> _StepDecorator: ...
@overload
def step[I: Interface, J: Interface, K: Interface](
    *, calls: "tuple[Call[I], Call[J], Call[K]]", pivot: bool = ..., answer: bool = ...
) -> _StepDecorator: ...
@overload
def step[E: Event](
    *,
    awaits: type[E],
    match: str,
    within: timedelta | None = ...,
    pivot: bool = ...,
    answer: bool = ...,
) -> _AwaitingStepDecorator[E]: ...
@overload
def step[E: Event, F: Event](
    *,
    awaits: tuple[type[E], type[F]],
    match: str,
    within: timedelta | None = ...,
    pivot: bool = ...,
    answer: bool = ...,
) -> _AwaitingStepDecorator[E | F]: ...
def step(
    action: Callable[..., None] | None = None,
    /,
    *,
    calls: Any = (),
    pivot: bool = False,
    answer: bool = False,
    awaits: Any = (),
    match: str | None = None,
    within: timedelta | None = None,
) -> Any:
    """Declare a step.

    Without arguments the step writes its own module's tables: it commits together with the saga.
    `calls=` names the interface or the methods it calls, at most one command among those it makes;
    such a step writes nothing itself. `pivot=True`: after this step the saga only goes forward.
    `answer=True`: with this step done `run()` has its answer, and a worker does the rest.
    `awaits=` waits for an event (or the first of two, as a tuple) whose `match` field equals the
    saga's field of that name, at the longest `within`; an event that comes before its step is kept
    for it.
    """

    def decorate(action: Callable[..., None]) -> Step[Any]:
        targets = calls if isinstance(calls, tuple) else (calls,)
        for target in targets:
            if operation_of(target) is None and not getattr(target, "__interface__", False):
                raise DeclarationError.at(
                    action,
                    f"calls={target!r} is neither an interface nor a method of one.",
                    "Write `calls=Inventory.reserve` or `calls=Inventory`.",
                )
        return Step(
            action=action,
            calls=targets,
            pivot=pivot,
            answer=answer,
            awaits=awaits if isinstance(awaits, tuple) else (awaits,),
            match=match,
            within=within,
        )

    return decorate if action is None else decorate(action)


class SagaStatus(StrEnum):
    """Where a saga stands."""

    RUNNING = "running"
    WAITING = "waiting"
    UNDOING = "undoing"
    DONE = "done"
    UNDONE = "undone"
    STUCK = "stuck"
    ABANDONED = "abandoned"

    @property
    def ended(self) -> bool:
        """True when nothing will happen any more unless an operator acts."""
        return self in (self.DONE, self.UNDONE, self.STUCK, self.ABANDONED)


class SagaEntry(msgspec.Struct, frozen=True):
    """A line of a saga's history: when, at which step (empty for the saga itself), and what."""

    at: datetime
    step: str
    what: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SagaRun[S: "Saga"]:
    """What is known of one saga at one moment.

    `answered` is True once the step marked with `answer=True` is done, without one when the saga
    is. `error` is the domain error that turned it back, if one did; `failure` is the reason in
    words of whatever last went wrong.
    """

    id: UUID
    key: str
    status: SagaStatus
    state: S
    answered: bool = False
    error: DomainError | None = None
    failure: str = ""
    history: tuple[SagaEntry, ...] = ()


class SagaRuntime(Protocol):
    """What runs sagas; given by `monolift.sagas` when Django starts."""

    def start(self, saga: "Saga") -> SagaRun[Any]: ...

    def run(self, saga: "Saga", *, timeout: float) -> SagaRun[Any]: ...

    def find(self, saga: "type[Saga]", *, key: str) -> SagaRun[Any] | None: ...


_declared: "dict[tuple[str, int], type[Saga]]" = {}


def saga_class(name: str, version: int) -> "type[Saga] | None":
    """The class that a stored saga runs under; None when it is not in this process."""
    return _declared.get((name, version))


def declared_sagas() -> "list[type[Saga]]":
    """Every saga class of the process, all versions."""
    return list(_declared.values())


_listeners: "list[Callable[[type[Saga]], None]]" = []


def on_saga_declared(listener: "Callable[[type[Saga]], None]") -> None:
    """Call `listener` for each saga class there is and for each that comes."""
    _listeners.append(listener)
    for saga in declared_sagas():
        listener(saga)


_runtime: SagaRuntime | None = None


def install_runtime(runtime: SagaRuntime) -> None:
    """Connect the declarations to what runs them."""
    global _runtime
    _runtime = runtime


def _installed() -> SagaRuntime:
    if _runtime is None:
        raise RuntimeError("Sagas run after django.setup(), with 'monolift' in INSTALLED_APPS.")
    return _runtime


@dataclass_transform(kw_only_default=True)
class SagaMeta(msgspec.StructMeta):
    """Collects the steps in order of definition and checks them."""

    def __new__(
        mcls,
        class_name: str,
        bases: Any,
        namespace: Any,
        *,
        version: int | None = None,
        name: str | None = None,
        attempts: int = DEFAULT_ATTEMPTS,
        **options: Any,
    ) -> Any:
        cls: Any = super().__new__(mcls, class_name, bases, namespace, kw_only=True, **options)
        if namespace.get("__module__") == __name__:
            return cls
        if not isinstance(version, int) or version < 1:
            raise DeclarationError.at(
                cls,
                f"{class_name} has no version.",
                f"Write `class {class_name}(Saga, version=1):`.",
            )
        cls.saga_owner = owner_of(cls.__module__)
        cls.saga_version = version
        cls.saga_name = name or f"{cls.saga_owner}.{snake(class_name)}"
        cls.saga_attempts = attempts
        cls.saga_steps = tuple(value for value in namespace.values() if isinstance(value, Step))
        _check(cls)
        check_fields(cls)
        _declared[cls.saga_name, version] = cls
        for listener in _listeners:
            listener(cls)
        return cls


@dataclass_transform(kw_only_default=True)  # for mypy, which looks here
class Saga(msgspec.Struct, metaclass=SagaMeta):
    """A process whose outcome this module owns: its fields are the state, its steps run in order.

    Before the pivot a failure undoes what was done, in reverse; after it the saga only goes
    forward. `key` makes starting idempotent: the same key is the same saga.
    """

    key: str
    if TYPE_CHECKING:
        timeout: InitVar[float] = 10.0

    saga_name: ClassVar[str]
    saga_owner: ClassVar[str]
    saga_version: ClassVar[int]
    saga_attempts: ClassVar[int]
    saga_steps: ClassVar[tuple[Step[Any], ...]]

    @classmethod  # pyright: ignore[reportArgumentType]  # the class, as what makes it
    def start[**P, S: "Saga"](cls: Callable[P, S], *args: P.args, **kwargs: P.kwargs) -> SagaRun[S]:
        """Begin the saga in the caller's `atomic()`, or in a commit of its own; idempotent by key.

        It runs after the commit, in a worker.
        """
        kwargs.pop("timeout", None)
        return _installed().start(cls(*args, **kwargs))

    @classmethod  # pyright: ignore[reportArgumentType]  # the class, as what makes it
    def run[**P, S: "Saga"](cls: Callable[P, S], *args: P.args, **kwargs: P.kwargs) -> SagaRun[S]:
        """Begin the saga and run it here: to its answer, its first wait or for `timeout` seconds.

        What is then left goes on in a worker. Never inside a transaction. A key that is already
        known continues nothing twice: the answer is how that saga stands.
        """
        timeout: Any = kwargs.pop("timeout", 10.0)
        return _installed().run(cls(*args, **kwargs), timeout=timeout)

    @classmethod
    def find(cls, *, key: str) -> "SagaRun[Self] | None":
        """How the saga of that key stands; None when there is none."""
        return _installed().find(cls, key=key)


def _check(saga: type[Saga]) -> None:
    if not saga.saga_steps:
        raise DeclarationError.at(saga, f"{saga.__name__} has no steps.", "Add one with @step.")
    hints = get_type_hints(saga)
    pivots = [step for step in saga.saga_steps if step.pivot]
    if len(pivots) > 1:
        raise DeclarationError.at(
            saga,
            f"{saga.__name__} has {len(pivots)} pivots.",
            "After the first one there is no way back, so a second has no meaning.",
        )
    answers = [step.name for step in saga.saga_steps if step.answer]
    if len(answers) > 1:
        raise DeclarationError.at(
            saga,
            f"{saga.__name__} answers twice, in {' and '.join(answers)}.",
            "run() returns once: keep answer=True at the step after which the caller has it all.",
        )
    _check_other_versions(saga)
    sets: dict[type[Event], Step[Any]] = {}
    passed = False
    for step in saga.saga_steps:
        passed = passed or step.pivot
        for place, function, takes in (
            ("", step.action, 2 if step.awaits else 1),
            (" (undo)", step.undo_action, 1),
        ):
            if function and len(inspect.signature(function).parameters) != takes:
                wanted = "(self, event)" if takes == 2 else "(self)"
                raise DeclarationError.at(
                    function, f"The step {step.name!r}{place} must take {wanted}.", ""
                )
        for event in step.awaits:
            if step.match not in event.__struct_fields__:
                raise DeclarationError.at(
                    step.action,
                    f"match={step.match!r} is not a field of {event.__name__}.",
                    f"Name one of: {', '.join(event.__struct_fields__)}.",
                )
            other = sets.setdefault(event, step)
            if set(other.awaits) != set(step.awaits):
                raise DeclarationError.at(
                    step.action,
                    f"{event.__name__} is awaited by {other.name!r} together with other events.",
                    "Let both steps await the same events: one that comes is kept for one of them.",
                )
        if step.awaits and step.match not in hints:
            raise DeclarationError.at(
                step.action,
                f"{saga.__name__} has no field {step.match!r} to match the event with.",
                f"Add `{step.match}: ...` to {saga.__name__}.",
            )
        for operation in step.commands:
            if not operation.keyed:
                raise DeclarationError.at(
                    step.action,
                    f"The step {step.name!r} calls {operation.name}, which keeps no key.",
                    "A saga repeats its commands: call it before the saga starts.",
                )
        if step.commands and not passed and step.undo_action is None:
            raise DeclarationError(
                f"{place_of(step.action)}: the step {step.name!r} commands another module before "
                f"the pivot and has no undo. Add `@{step.name}.undo` below it."
            )


def _check_other_versions(saga: type[Saga]) -> None:
    """An event that comes is kept once for the saga, whichever version waits for it."""
    for (name, version), other in _declared.items():
        if name != saga.saga_name or version == saga.saga_version:
            continue
        awaited = {event: step.match for step in other.saga_steps for event in step.awaits}
        for step in saga.saga_steps:
            for event in step.awaits:
                if awaited.get(event, step.match) != step.match:
                    raise DeclarationError.at(
                        step.action,
                        f"{saga.__name__} awaits {event.__name__} by {step.match!r}, version "
                        f"{version} of {name} by {awaited[event]!r}.",
                        "Await an event by one field in all versions that are installed.",
                    )
