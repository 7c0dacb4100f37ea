"""The `MONOLIFT` dict of Django's settings, with its defaults."""

from typing import Any, Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_DEFAULTS: dict[str, Any] = {
    # The topology file; None: every installed module in this process, on its router's alias.
    "TOPOLOGY": None,
    # Folder for sockets and other files of the running system.
    "DATA": "var",
    # How modules of this process reach each other: "local", or "loopback" through the codec.
    "TRANSPORT": "local",
    # A call while a Django transaction is open: "refuse" it, or "warn" while adopting.
    "CALLS_IN_TRANSACTION": "refuse",
    # Commit consecutive steps of a saga together where their modules share a database.
    "FUSION": True,
    # Who runs deliveries: "threads" in the worker process, or "celery".
    "EXECUTOR": "threads",
    # The Celery application as a dotted path, "config.celery.app"; needed with "celery".
    "CELERY_APP": None,
    # Threads of one worker process.
    "WORKER_THREADS": 2,
    # Seconds between looks at the tables when no wake-up comes.
    "POLL": 1.0,
    # How commits wake workers: "datagram" on one machine, "notify" (PostgreSQL), or "poll" only.
    "WAKE": "datagram",
    # Attempts of a delivery before it rests as failed.
    "ATTEMPTS": 8,
    # Seconds a claimed delivery or saga belongs to its worker before another may take it.
    "LEASE": 30.0,
    # Seconds of the first retry's delay; it doubles up to BACKOFF_MAX, with full jitter.
    "BACKOFF": 0.2,
    "BACKOFF_MAX": 60.0,
}


_CHOICES: dict[str, tuple[str, ...]] = {
    "TRANSPORT": ("local", "loopback"),
    "CALLS_IN_TRANSACTION": ("refuse", "warn"),
    "EXECUTOR": ("threads", "celery"),
    "WAKE": ("datagram", "notify", "poll"),
}

_checked: dict[str, Any] | None = None


def setting(name: str) -> Any:
    """One value of `MONOLIFT`; its default when the project does not set it."""
    global _checked
    given: dict[str, Any] = getattr(settings, "MONOLIFT", {})
    if given is not _checked:
        _check(given)
        _checked = given
    return given.get(name, _DEFAULTS[name])


def transport() -> Literal["local", "loopback"]:
    """How modules of this process reach each other."""
    return setting("TRANSPORT")  # type: ignore[no-any-return]  # checked to be one of these


def _check(given: dict[str, Any]) -> None:
    if unknown := sorted(given.keys() - _DEFAULTS.keys()):
        raise ImproperlyConfigured(
            f"MONOLIFT has no setting {unknown[0]!r}. It has: {', '.join(sorted(_DEFAULTS))}."
        )
    for name, choices in _CHOICES.items():
        value = given.get(name, choices[0])
        if value not in choices:
            raise ImproperlyConfigured(
                f"MONOLIFT[{name!r}] is {value!r}: choose from {', '.join(choices)}."
            )
