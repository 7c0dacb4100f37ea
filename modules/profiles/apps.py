"""Profiles as a module."""

from typing import Any
from uuid import UUID

from modules.profiles.interface import Profiles
from monolift import Module, use
from monolift.gateway.identity import leaving


class ProfilesModule(Module):
    """Customer data and addresses."""

    name = "modules.profiles"
    owner = "team-accounts"
    provides = {Profiles: "modules.profiles.services.ProfilesService"}

    def ready(self) -> None:
        """Hear of users who are about to be deleted."""
        super().ready()
        leaving.connect(forget_who_leaves, dispatch_uid="profiles.forget_who_leaves")


def forget_who_leaves(*, user_id: UUID, **_: Any) -> None:
    """Erase all there is of a user who is about to be deleted; receives `leaving`."""
    use(Profiles).forget(user_id=user_id)
