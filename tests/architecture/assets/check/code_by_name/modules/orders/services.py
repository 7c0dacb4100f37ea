from importlib import import_module

from django.utils.module_loading import import_string

HANDLER = "modules.inventory.services.count"


def look():
    import_module("modules.inventory")
    import_string("modules.inventory.services.count")
    __import__("modules.inventory.models")


def named():
    import_module(name="modules.inventory.services")


def from_a_package():
    import_module(".services", "modules.inventory")
    import_module("..inventory.models", package=__package__)
    import_module(".models", __package__)
