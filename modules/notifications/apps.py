"""Notifications as a module."""

from modules.notifications.interface import Notifications
from monolift import Module


class NotificationsModule(Module):
    """Mail about orders."""

    name = "modules.notifications"
    owner = "team-communication"
    provides = {Notifications: "modules.notifications.services.NotificationsService"}
