"""Data transfer objects: the frozen data that crosses a module's boundary."""

from typing import Any, dataclass_transform

import msgspec

from monolift.kernel.errors import DeclarationError
from monolift.kernel.wire_types import check_fields


@dataclass_transform(kw_only_default=True, frozen_default=True)
class FrozenMeta(msgspec.StructMeta):
    """Makes subclasses frozen, keyword-only and checked without repeating it at each class."""

    def __new__(mcls, name: str, bases: Any, namespace: Any, **options: Any) -> Any:
        for option in ("frozen", "kw_only"):
            if options.get(option) is False:
                raise DeclarationError(
                    f"{namespace.get('__module__')}.{name}: {option}=False is not possible. "
                    "What crosses a boundary is frozen and given by keyword."
                )
        options |= {"frozen": True, "kw_only": True}
        cls: Any = super().__new__(mcls, name, bases, namespace, **options)
        check_fields(cls)
        return cls


@dataclass_transform(kw_only_default=True, frozen_default=True)  # for mypy, which looks here
class Dto(msgspec.Struct, metaclass=FrozenMeta):
    """Frozen, keyword-only data of an interface. Equal when its fields are equal."""
