"""Events: facts a module announces."""

from typing import Any, ClassVar, dataclass_transform

import msgspec

from monolift.kernel.dto import FrozenMeta
from monolift.kernel.errors import DeclarationError
from monolift.kernel.names import owner_of, snake


@dataclass_transform(kw_only_default=True, frozen_default=True)
class EventMeta(FrozenMeta):
    """Reads `version=`, `key=` and `name=` from the class statement."""

    def __new__(
        mcls,
        class_name: str,
        bases: Any,
        namespace: Any,
        *,
        version: int | None = None,
        key: str | None = None,
        name: str | None = None,
        **options: Any,
    ) -> Any:
        cls: Any = super().__new__(mcls, class_name, bases, namespace, **options)
        if namespace.get("__module__") == __name__:
            return cls
        if not isinstance(version, int) or version < 1:
            raise DeclarationError.at(
                cls,
                f"{class_name} has no version.",
                f"Write `class {class_name}(Event, version=1):`.",
            )
        if key is not None and key not in cls.__struct_fields__:
            raise DeclarationError.at(
                cls,
                f"key={key!r} is not a field of {class_name}.",
                f"Name one of: {', '.join(cls.__struct_fields__)}.",
            )
        owner = owner_of(cls.__module__)
        cls.event_name = name or f"{owner}.{snake(class_name)}.v{version}"
        cls.event_version = version
        cls.event_key = key
        cls.event_owner = owner
        return cls


@dataclass_transform(kw_only_default=True, frozen_default=True)  # for mypy, which looks here
class Event(msgspec.Struct, metaclass=EventMeta):
    """A fact, in the past tense: frozen, versioned, announced in the transaction that made it.

    `key` names the field that orders events: those with an equal key reach each subscriber in the
    order of their commits. Without a key there is no order.
    """

    event_name: ClassVar[str]
    event_version: ClassVar[int]
    event_key: ClassVar[str | None]
    event_owner: ClassVar[str]
