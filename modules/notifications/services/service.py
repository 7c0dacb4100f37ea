"""The interface that notifications answers."""

from collections.abc import Sequence
from uuid import UUID

from modules.notifications import models
from modules.notifications.interface import Mail, MailKind, Notifications


class NotificationsService(Notifications):
    """Answers `Notifications` from this module's table."""

    def mails(self, *, order_id: UUID) -> Sequence[Mail]:
        """See `Notifications.mails`."""
        rows = models.Mail.objects.filter(order_id=order_id).order_by("id")
        return [
            Mail(
                id=row.id,
                kind=MailKind(row.kind),
                at=row.at,
                sent_at=row.sent_at,
                problem=row.problem,
            )
            for row in rows
        ]
