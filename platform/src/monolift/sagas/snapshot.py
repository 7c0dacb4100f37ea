"""What a saga goes back to in memory when a transaction of it is rolled back."""

from dataclasses import dataclass

from monolift.kernel import SagaStatus


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A saga in memory at one moment."""

    state: str
    progress: str
    status: SagaStatus
    attempts: int
    failure: str
    stored: bool
