"""The vocabulary modules declare themselves in. Pure: the standard library and msgspec, no Django.

A module's contract files (`interface.py`, `events.py`) import this package and nothing else of
monolift, so that a contract can be loaded by any process, with or without Django.
"""

from monolift.kernel.dto import Dto
from monolift.kernel.errors import (
    CallFailed,
    CallInsideTransaction,
    CallRefused,
    DeclarationError,
    DomainError,
    KeyInFlight,
    KeyReused,
    MonoliftError,
    NeverHappened,
    NotBound,
    OutsideTransaction,
    SecondTransaction,
    Unavailable,
    UndeclaredCall,
)
from monolift.kernel.events import Event
from monolift.kernel.ids import uuid7
from monolift.kernel.interface import Interface, Operation, command, operations_of, query
from monolift.kernel.money import CurrencyMismatch, Money
from monolift.kernel.saga import (
    Saga,
    SagaEntry,
    SagaRun,
    SagaStatus,
    Step,
    days,
    hours,
    minutes,
    seconds,
    step,
)

__all__ = [
    "CallFailed",
    "CallInsideTransaction",
    "CallRefused",
    "CurrencyMismatch",
    "DeclarationError",
    "DomainError",
    "Dto",
    "Event",
    "Interface",
    "KeyInFlight",
    "KeyReused",
    "Money",
    "MonoliftError",
    "NeverHappened",
    "NotBound",
    "Operation",
    "OutsideTransaction",
    "Saga",
    "SagaEntry",
    "SagaRun",
    "SagaStatus",
    "SecondTransaction",
    "Step",
    "Unavailable",
    "UndeclaredCall",
    "command",
    "days",
    "hours",
    "minutes",
    "operations_of",
    "query",
    "seconds",
    "step",
    "uuid7",
]
