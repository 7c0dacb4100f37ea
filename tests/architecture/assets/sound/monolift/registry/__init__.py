"""Binds interfaces."""

import django.apps

from monolift.kernel import Interface


def use(interface): ...


Module = django.apps.AppConfig, Interface
