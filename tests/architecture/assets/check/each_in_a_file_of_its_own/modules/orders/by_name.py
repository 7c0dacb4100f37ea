from importlib import import_module

named = import_module(".services", "modules.inventory")
