"""Profiles as a module."""

from modules.profiles.interface import Profiles
from monolift import Module


class ProfilesModule(Module):
    """Customer data and addresses."""

    name = "modules.profiles"
    owner = "team-accounts"
    provides = {Profiles: "modules.profiles.services.ProfilesService"}
