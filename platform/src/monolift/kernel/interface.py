"""Interfaces: what a module provides to others."""

import inspect
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, ClassVar, Literal, Protocol, get_type_hints, overload

import msgspec

from monolift.kernel.errors import DeclarationError, DomainError
from monolift.kernel.names import owner_of, snake
from monolift.kernel.wire_types import check

Kind = Literal["query", "command"]
Raises = type[DomainError] | tuple[type[DomainError], ...]

DEFAULT_TIMEOUT = 5.0
_MARK = "__operation__"


class Operation:
    """One method of an interface, with what matters once the call leaves the process."""

    def __init__(
        self,
        *,
        function: Callable[..., Any],
        kind: Kind,
        timeout: float,
        raises: tuple[type[DomainError], ...],
        external: bool,
        keyed: bool = True,
    ) -> None:
        self.keyed = keyed
        self.function = function
        self.kind: Kind = kind
        self.timeout = timeout
        self.raises = raises
        self.external = external
        self.method = function.__name__
        self.interface: type[Any] = type(None)

    @cached_property
    def name(self) -> str:
        """`inventory.reserve`: the module and the method, for people, logs and metrics."""
        return f"{self.interface.interface_owner}.{self.method}"

    @cached_property
    def signature(self) -> inspect.Signature:
        """The parameters without `self`."""
        signature = inspect.signature(self.function)
        return signature.replace(parameters=list(signature.parameters.values())[1:])

    @cached_property
    def hints(self) -> dict[str, Any]:
        """Resolved annotations of the parameters and `return`."""
        return get_type_hints(self.function, include_extras=True)

    @cached_property
    def arguments(self) -> type[msgspec.Struct]:
        """The parameters as a struct: what travels to the other side."""
        fields: list[Any] = []
        for parameter in self.signature.parameters.values():
            empty = parameter.default is inspect.Parameter.empty
            default = msgspec.NODEFAULT if empty else parameter.default
            fields.append((parameter.name, self.hints[parameter.name], default))
        name = f"{self.interface.__name__}_{self.method}"
        return msgspec.defstruct(name, fields, frozen=True, kw_only=True)

    @cached_property
    def returns(self) -> Any:
        """The type of the answer."""
        return self.hints["return"]

    @cached_property
    def errors(self) -> dict[str, type[DomainError]]:
        """Declared errors by their wire code."""
        return {error.code: error for error in self.raises}

    def check_types(self) -> None:
        """Raise DeclarationError when a parameter, the answer or an error is not plain data."""
        for name, hint in self.hints.items():
            where = f"the answer of {self.name}" if name == "return" else f"{self.name}({name}=)"
            check(hint, declared=self.function, where=where)
        for error in self.raises:
            for field in error.payload_type().__struct_fields__:
                hint = get_type_hints(error)[field]
                check(hint, declared=error, where=f"{error.__name__}.{field}")

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"


@overload
def query[**P, R](function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def query[**P, R](
    *, timeout: float = ..., raises: Raises = ...
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def query(
    function: Callable[..., Any] | None = None,
    /,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    raises: Raises = (),
) -> Any:
    """Mark a method that only reads. It may be repeated freely.

    `timeout` is the longest a caller waits, in seconds, the whole call included.
    """
    return _mark(function, kind="query", timeout=timeout, raises=raises, external=False)


@overload
def command[**P, R](function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def command[**P, R](
    *, timeout: float = ..., raises: Raises = ..., external: bool = ..., keyed: bool = ...
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def command(
    function: Callable[..., Any] | None = None,
    /,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    raises: Raises = (),
    external: bool = False,
    keyed: bool = True,
) -> Any:
    """Mark a method that changes something. It travels with an idempotency key.

    Its writes commit together, once, when it returns; an error of any kind leaves nothing behind.
    `external=True` says that the effect leaves the process even when the module is local (a card
    network): such a command is never part of somebody's transaction. `keyed=False` keeps nothing
    under a request's idempotency key, not even a fingerprint: for arguments that must leave no
    trace (card details), where doing it twice is harmless.
    """
    return _mark(
        function, kind="command", timeout=timeout, raises=raises, external=external, keyed=keyed
    )


def _mark(
    function: Callable[..., Any] | None,
    *,
    kind: Kind,
    timeout: float,
    raises: Raises,
    external: bool,
    keyed: bool = True,
) -> Any:
    errors = raises if isinstance(raises, tuple) else (raises,)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for error in errors:
            if not (isinstance(error, type) and issubclass(error, DomainError)):
                raise DeclarationError.at(
                    function, f"raises= names {error!r}.", "Name subclasses of DomainError."
                )
        if not timeout > 0:
            raise DeclarationError.at(
                function, f"timeout={timeout!r}.", "Give the seconds a caller may wait, above 0."
            )
        operation = Operation(
            function=function,
            kind=kind,
            timeout=timeout,
            raises=errors,
            external=external,
            keyed=keyed,
        )
        setattr(function, _MARK, operation)
        return function

    return decorate if function is None else decorate(function)


class Interface(Protocol):
    """Base of what a module provides; subclass it with `Protocol` and a version.

        class Inventory(Interface, Protocol, version=1):
            @query(timeout=2)
            def available(self, *, skus: Sequence[Sku]) -> Mapping[Sku, int]: ...

    A class that names the interface as its base implements it; type checkers report a difference
    at that class.
    """

    __interface__: ClassVar[bool] = True
    interface_name: ClassVar[str] = ""
    interface_version: ClassVar[int] = 0
    interface_owner: ClassVar[str] = ""

    def __init_subclass__(
        cls, *, version: int | None = None, name: str | None = None, **options: Any
    ) -> None:
        super().__init_subclass__(**options)
        if Protocol not in cls.__bases__:
            return
        if not isinstance(version, int) or version < 1:
            raise DeclarationError.at(
                cls,
                f"{cls.__name__} has no version.",
                f"Write `class {cls.__name__}(Interface, Protocol, version=1):`.",
            )
        cls.interface_owner = owner_of(cls.__module__)
        cls.interface_version = version
        cls.interface_name = name or f"{cls.interface_owner}.{snake(cls.__name__)}.v{version}"
        for method, function in vars(cls).items():
            if method.startswith("_") or not inspect.isfunction(function):
                continue
            operation = getattr(function, _MARK, None)
            if operation is None:
                raise DeclarationError.at(
                    function,
                    f"{cls.__name__}.{method} is neither a query nor a command.",
                    "Put @query or @command above it.",
                )
            operation.interface = cls
            _check_parameters(operation)


def _check_parameters(operation: Operation) -> None:
    function, name = operation.function, f"{operation.interface.__name__}.{operation.method}"
    for parameter in operation.signature.parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise DeclarationError.at(
                function,
                f"{name} takes {parameter.name!r} by position.",
                f"Write `def {operation.method}(self, *, {parameter.name}: ...)`: "
                "arguments of an interface are keyword-only.",
            )
        if parameter.annotation is inspect.Parameter.empty:
            raise DeclarationError.at(
                function, f"{name}: {parameter.name!r} has no type.", "Annotate it."
            )
    if operation.signature.return_annotation is inspect.Signature.empty:
        raise DeclarationError.at(
            function, f"{name} does not say what it returns.", "Annotate it (`-> None` if nothing)."
        )
    try:
        operation.check_types()
    except NameError:
        pass  # a name declared further down; checked again when the module is ready


def operation_of(function: Any) -> Operation | None:
    """The operation that `Interface.method` declares, or None for anything else."""
    operation = getattr(function, _MARK, None)
    return operation if isinstance(operation, Operation) else None


def operations_of(interface: type[Any]) -> dict[str, Operation]:
    """The operations of an interface by method name, in order of definition."""
    found: Iterable[tuple[str, Operation | None]] = (
        (name, operation_of(member))
        for base in reversed(interface.__mro__)
        for name, member in vars(base).items()
    )
    return {name: operation for name, operation in found if operation is not None}
