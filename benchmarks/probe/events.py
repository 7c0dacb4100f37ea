"""What the probe announces."""

from uuid import UUID

from monolift.kernel import Event, Money


class NoteTaken(Event, version=1, key="note_id"):
    """A note was written."""

    note_id: UUID
    text: str
    total: Money
