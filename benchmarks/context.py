"""What every figure is told."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """The database it runs on, and whether it is to be quick about it."""

    database: str
    short: bool

    def pairs(self, full: int) -> int:
        """How many pairs to measure."""
        return max(full // 10, 5) if self.short else full
