"""Who works for which modules: workers of their own for busy ones, the rest shares the others.

`MONOLIFT = {"WORKERS": {"search": 3}, "WORKER_THREADS": 1}` is three for search and one for the
rest: threads of the worker process, or with Celery a process on search's queue beside another.
"""

from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured

from monolift.registry.modules import modules
from monolift.registry.settings import setting
from monolift.registry.topology import topology


class Pool(NamedTuple):
    """Workers that run what is due for some modules, and for no others."""

    modules: tuple[str, ...]
    workers: int


def pools() -> list[Pool]:
    """The pools that the project wants for this deployable's modules, that of the rest first.

    It may have no modules.

    Raises ImproperlyConfigured for a module that is not installed.
    """
    known = sorted(modules())
    wanted: dict[str, int] = setting("WORKERS")
    for label in wanted:
        if label not in known:
            raise ImproperlyConfigured(
                f"MONOLIFT['WORKERS'] names {label!r}, which is not installed. "
                f"Installed: {', '.join(known)}."
            )
    here = [label for label in known if topology().runs(label)]
    rest = tuple(label for label in here if label not in wanted)
    return [
        Pool(rest, setting("WORKER_THREADS")),
        *(Pool((label,), count) for label, count in wanted.items() if label in here),
    ]
