"""Errors that cross module boundaries, and the errors of the library itself."""

from typing import Any, ClassVar, dataclass_transform, get_type_hints

import msgspec

from monolift.kernel.names import owner_of, place_of, snake, words


class MonoliftError(Exception):
    """Base of every error the library raises by itself."""


class DeclarationError(MonoliftError, TypeError):
    """A contract is declared wrongly. Raised at import; names the file and the fix."""

    @classmethod
    def at(cls, declared: Any, problem: str, fix: str) -> "DeclarationError":
        """Build the message: where it is, what is wrong, what to write instead."""
        return cls(f"{place_of(declared)}: {problem} {fix}")


class NotBound(MonoliftError):
    """An interface is used that no installed module provides."""


class Unavailable(MonoliftError):
    """The call got no answer: deadline passed, refused, or connection lost.

    **The effect may have happened.** Repeat a command only under the same idempotency key.
    """

    def __init__(self, operation: str, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{operation} is unavailable: {reason}")
        self.operation = operation
        self.reason = reason
        self.retry_after = retry_after


class CallFailed(MonoliftError):
    """The called module raised an error it does not declare. Nothing of the call was committed.

    In process the original error is `__cause__`; across processes only its type is known.
    """

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation} failed: {reason}")
        self.operation = operation
        self.reason = reason


class CallRefused(MonoliftError):
    """The call was not attempted, because the platform's rules forbid it here."""


class CallInsideTransaction(CallRefused):
    """A call to another module while a transaction is open. Gather first, then commit once."""


class UndeclaredCall(CallRefused):
    """A saga step called what its `calls=` does not name, or made a second command."""


class SecondTransaction(MonoliftError):
    """A second top-level `atomic()` in one command, handler or task: it would not be one commit."""


class OutsideTransaction(MonoliftError):
    """`publish()` without an open `atomic()`: the fact and its event would not commit together."""


class KeyReused(MonoliftError):
    """An idempotency key was sent again with another request (HTTP 422)."""


class KeyInFlight(MonoliftError):
    """A request with the same idempotency key is still running (HTTP 409)."""


class NeverHappened(MonoliftError):
    """Answer to a settling call: the command did not run under this key, and now never will."""


_declared: "dict[str, type[DomainError]]" = {}


@dataclass_transform(kw_only_default=True)
class DomainError(Exception):
    """An expected refusal, declared in an operation's `raises=`. It crosses the wire as itself.

    Fields are annotated like a Dto's and given by keyword. The first line of the docstring is the
    sentence a person reads; `{field}` in it is filled in. `status` is the HTTP status at the edge.

        class InsufficientStock(DomainError, status=409):
            \"\"\"Only {available} of {sku} are left.\"\"\"
            sku: str
            available: int
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "domain_error"
    _payload: ClassVar[type[msgspec.Struct] | None] = None

    def __init_subclass__(cls, *, status: int = 400, code: str | None = None) -> None:
        super().__init_subclass__()
        if not 400 <= status <= 499:
            raise DeclarationError.at(
                cls,
                f"{cls.__name__} has status {status}.",
                "A DomainError is the caller's to handle: give it a status from 400 to 499.",
            )
        reserved = {"status", "code", "detail", "fields"} & cls.__annotations__.keys()
        if reserved:
            raise DeclarationError.at(
                cls,
                f"{cls.__name__} has a field {min(reserved)!r}, which every DomainError has.",
                "Give the field another name.",
            )
        cls.status = status
        cls.code = code or f"{owner_of(cls.__module__)}.{snake(cls.__name__)}"
        cls._payload = None
        _declared[cls.code] = cls

    @staticmethod
    def of_code(code: str, fields: dict[str, Any]) -> "DomainError | None":
        """A stored error as itself again; None when its class is not in this process any more."""
        cls = _declared.get(code)
        if cls is None:
            return None
        payload = msgspec.convert(fields, cls.payload_type())
        return cls(**{name: getattr(payload, name) for name in payload.__struct_fields__})

    def __init__(self, **fields: Any) -> None:
        payload = type(self).payload_type()
        try:
            payload(**fields)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}") from None
        for name in payload.__struct_fields__:
            if name not in fields:
                fields[name] = getattr(type(self), name)
        self.__dict__.update(fields)
        super().__init__(self.detail)

    @classmethod
    def payload_type(cls) -> type[msgspec.Struct]:
        """The fields as a struct, for the codec and for `contracts/`."""
        if cls._payload is None:
            fields: list[Any] = []
            for name, annotation in get_type_hints(cls).items():
                if getattr(annotation, "__origin__", None) is ClassVar or name.startswith("_"):
                    continue
                missing = msgspec.NODEFAULT
                fields.append((name, annotation, getattr(cls, name, missing)))
            cls._payload = msgspec.defstruct(
                cls.__name__, fields, frozen=True, kw_only=True, module=cls.__module__
            )
        return cls._payload

    @property
    def fields(self) -> dict[str, Any]:
        """The declared fields and their values."""
        return {name: self.__dict__[name] for name in type(self).payload_type().__struct_fields__}

    @property
    def title(self) -> str:
        """The fact in two or three words."""
        return words(type(self).__name__)

    @property
    def detail(self) -> str:
        """The sentence a person reads."""
        text = (type(self).__doc__ or "").strip().split("\n", 1)[0]
        if not text:
            return self.title + "."
        try:
            return text.format(**self.fields)
        except (KeyError, IndexError, ValueError):
            return text

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.fields)


def _rebuild(cls: type[DomainError], fields: dict[str, Any]) -> DomainError:
    return cls(**fields)
