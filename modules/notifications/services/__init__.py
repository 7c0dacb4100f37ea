"""What notifications does: the interface it answers, and the words of its mails."""

from modules.notifications.services.service import NotificationsService

__all__ = ["NotificationsService"]
