"""Facts that profiles announces."""

from uuid import UUID

from monolift.kernel import Event


class CustomerForgotten(Event, version=1, key="user_id"):
    """A customer's data was erased; whoever keeps more of it erases that. May be said again."""

    user_id: UUID
