from importlib import import_module

named = import_module("..inventory.models", package=__package__)
