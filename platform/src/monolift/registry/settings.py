"""The `MONOLIFT` dict of Django's settings, with its defaults."""

import sys
from typing import Any, Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from monolift.registry.locations import located

_DEFAULTS: dict[str, Any] = {
    # The topology file; None: every installed module in this process, on its router's alias.
    "TOPOLOGY": None,
    # Folder for sockets and other files of the running system.
    "DATA": "var",
    # How modules of this process reach each other: "local", or "loopback" through the codec.
    "TRANSPORT": "local",
    # A call while a Django transaction is open: "refuse" it, or "warn" while adopting.
    "CALLS_IN_TRANSACTION": "refuse",
    # Statements on another module's tables: "refuse" them, "sample" and count them, or "off".
    # Unset: refused with DEBUG and in tests, else off.
    "SQL_GUARD": None,
    # The share of transactions, and of statements outside of them, that "sample" looks at.
    "SQL_GUARD_RATE": 0.01,
    # Look for rows, querysets and generators in what calls pass within the process. None: with
    # DEBUG and in tests.
    "CHECK_VALUES": None,
    # One trace in so many is weighed: CPU, bytes, lines of its calls; in DATA/observed for
    # `monolift assess` and `monolift smells`. 1: all of them; 0: none.
    "WEIGH": 16,
    # Thresholds of `monolift assess` and `monolift smells`, where they are not the defaults.
    "ADVICE": {},
    # Written needs that only a process of its own meets: {"fraud": "a GPU: docs/adr/0123"}.
    "NEEDS": {},
    # Packages that deployables must have in nearly the same version.
    "CONTRACT_PACKAGES": ("monolift",),
    # Commit consecutive steps of a saga together where their modules share a database.
    "FUSION": True,
    # Who runs deliveries: "threads" in the worker process, or "celery".
    "EXECUTOR": "threads",
    # The Celery application as a dotted path, "config.celery.app"; needed with "celery".
    "CELERY_APP": None,
    # Threads of one worker process.
    "WORKER_THREADS": 2,
    # Workers of their own for busy modules, {"search": 3}; those above run the rest.
    "WORKERS": {},
    # Seconds between looks at the tables when no wake-up comes.
    "POLL": 1.0,
    # How commits wake workers: "pipe" on one machine, "notify" (PostgreSQL), or "poll" only.
    "WAKE": "pipe",
    # Attempts of a delivery before it rests as failed.
    "ATTEMPTS": 8,
    # Seconds a claimed delivery or saga belongs to its worker before another may take it.
    "LEASE": 30.0,
    # Seconds after which what is due and not done is told as late, by an error in the log.
    "LATE": 60.0,
    # Days that relayed events and deliveries that are done are kept. An event that is handed over
    # again within them is still known to have come.
    "KEEP": 7,
    # Days that idempotency keys are kept, with the answers given under them.
    "KEEP_KEYS": 30,
    # Days that sagas are kept after their end, and events that no saga took.
    "KEEP_SAGAS": 90,
    # Seconds of the first retry's delay; it doubles up to BACKOFF_MAX, with full jitter.
    "BACKOFF": 0.2,
    "BACKOFF_MAX": 60.0,
    # How events reach subscribers in another deployable: signed "http" batches, a "redis" server's
    # streams, or "kafka". All deployables of a system take the same.
    "STREAM": "http",
    # Where the stream's server is: "rediss://user:password@host:6379/0", or Kafka's bootstrap
    # servers, "host:9092,host:9092"; not for "http".
    "STREAM_URL": None,
    # More options of the stream's client: librdkafka's properties, or redis-py's arguments.
    "STREAM_OPTIONS": {},
    # Where each other deployable is reached: {"warehouse": "https://warehouse.internal"}, or
    # {"warehouse": "consul://127.0.0.1:8500/warehouse"}.
    "URLS": {},
    # Calls to one module of another deployable that this process makes at once (as many more wait
    # for a moment), and calls of others that it serves at once; what is more is refused at once.
    # Have more threads than all of them.
    "CALLS_AT_ONCE": 8,
    "SERVES_AT_ONCE": 16,
    # While a second deployable is shadowed: the share of queries that it is asked as well, and what
    # may differ in its answers (`monolift.lift.routing.masks`).
    "SHADOW_RATE": 0.1,
    "SHADOW_MASKS": {},
    # Certificates between deployables: "ca_file" to trust instead of the system's, "cert_file" and
    # "key_file" to show. Files that change are read again.
    "TLS": {},
    # Secrets that deployables sign requests with: {"id": ..., "secret": ..., "issuer": "shop"},
    # and "audience" if it is for a single receiver. The first of our own that fits is signed with,
    # all are known: a new one is added everywhere, then put first at its issuer, then the old goes.
    "KEYS": (),
    # What Prometheus shows to read the metrics, as `Authorization: Bearer ...`. Unset: with DEBUG
    # and in tests anybody may, else nobody.
    "METRICS_TOKEN": None,
}


STREAMS = ("http", "redis", "kafka")
"""How events may go to other deployables."""

_CHOICES: dict[str, tuple[str, ...]] = {
    "TRANSPORT": ("local", "loopback"),
    "CALLS_IN_TRANSACTION": ("refuse", "warn"),
    "SQL_GUARD": ("refuse", "sample", "off"),
    "EXECUTOR": ("threads", "celery"),
    "WAKE": ("pipe", "notify", "poll"),
    "STREAM": STREAMS,
}
_REDIS = ("redis://", "rediss://", "unix://")

_POSITIVE = (
    "ATTEMPTS",
    "BACKOFF",
    "BACKOFF_MAX",
    "KEEP",
    "KEEP_KEYS",
    "KEEP_SAGAS",
    "LATE",
    "LEASE",
    "POLL",
)

_MOST = 64

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


def developing() -> bool:
    """With DEBUG, and while Django's test environment is set up."""
    if settings.DEBUG:
        return True
    return hasattr(sys.modules.get("django.core.mail"), "outbox")


def sql_guard() -> Literal["refuse", "sample", "off"]:
    """What becomes of statements that cross the boundary of a module."""
    chosen = setting("SQL_GUARD")
    if chosen is None:
        return "refuse" if developing() else "off"
    return chosen  # type: ignore[no-any-return]  # checked to be one of these


def checks_values() -> bool:
    """Whether calls in the process look for what must not cross a boundary in what they pass."""
    chosen = setting("CHECK_VALUES")
    return developing() if chosen is None else bool(chosen)


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
    for name in _POSITIVE:
        value = given.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise ImproperlyConfigured(f"MONOLIFT[{name!r}] is {value!r}: give a number above 0.")
    for name in ("CALLS_AT_ONCE", "SERVES_AT_ONCE"):
        count = given.get(name, 1)
        if type(count) is not int or count < 1:
            raise ImproperlyConfigured(f"MONOLIFT[{name!r}] is {count!r}: give a number above 0.")
    weigh = given.get("WEIGH", 1)
    if type(weigh) is not int or weigh < 0:
        raise ImproperlyConfigured(
            f"MONOLIFT['WEIGH'] is {weigh!r}: give a whole number, 0 for no weighing."
        )
    tls = given.get("TLS", {})
    if not isinstance(tls, dict) or tls.keys() - {"ca_file", "cert_file", "key_file"}:
        raise ImproperlyConfigured(
            f"MONOLIFT['TLS'] is {tls!r}: give a dict of ca_file, cert_file and key_file."
        )
    workers = given.get("WORKERS", {})
    if not isinstance(workers, dict) or not all(
        isinstance(name, str) and type(count) is int and 1 <= count <= _MOST
        for name, count in workers.items()
    ):
        raise ImproperlyConfigured(
            f"MONOLIFT['WORKERS'] is {workers!r}: give modules with a number from 1 to {_MOST} "
            'each, {"search": 3}.'
        )
    for name in ("SQL_GUARD_RATE", "SHADOW_RATE"):
        rate = given.get(name, 1)
        if not isinstance(rate, int | float) or not 0 < rate <= 1:
            raise ImproperlyConfigured(
                f"MONOLIFT[{name!r}] is {rate!r}: give a share above 0, at most 1."
            )
    _check_masks(given.get("SHADOW_MASKS", {}))
    _check_streams(given)


def _check_masks(masks: Any) -> None:
    for operation, mask in masks.items() if isinstance(masks, dict) else [("*", None)]:
        if not isinstance(mask, dict) or mask.keys() - {"ignore", "unordered"}:
            raise ImproperlyConfigured(
                f"MONOLIFT['SHADOW_MASKS'] has {mask!r} for {operation!r}: give a dict with lists "
                'of paths, {"ignore": ["**.as_of"], "unordered": ["lines"]}.'
            )


def _check_streams(given: dict[str, Any]) -> None:
    urls = given.get("URLS", {})
    if not isinstance(urls, dict):
        raise ImproperlyConfigured(
            f"MONOLIFT['URLS'] is {urls!r}: give each deployable's URL, for example "
            '{"warehouse": "https://warehouse.internal"}.'
        )
    for name, url in urls.items():
        try:
            located(url)
        except ValueError as error:
            raise ImproperlyConfigured(f"MONOLIFT['URLS'], {name!r}: {error}.") from None
    kind = given.get("STREAM", "http")
    url = given.get("STREAM_URL")
    if kind == "redis" and not (isinstance(url, str) and url.startswith(_REDIS)):
        raise ImproperlyConfigured(
            "MONOLIFT['STREAM'] is 'redis': give MONOLIFT['STREAM_URL'] the server, for example "
            '"redis://127.0.0.1:6379/0".'
        )
    if kind == "kafka" and not (isinstance(url, str) and url and "://" not in url):
        raise ImproperlyConfigured(
            "MONOLIFT['STREAM'] is 'kafka': give MONOLIFT['STREAM_URL'] the bootstrap servers, for "
            'example "127.0.0.1:9092".'
        )
    keys = given.get("KEYS", ())
    if not isinstance(keys, list | tuple):
        raise ImproperlyConfigured("MONOLIFT['KEYS'] is no list: give one of dicts.")
    for number, key in enumerate(keys, start=1):
        # Never the key itself: what is wrong with it may be a secret that was misplaced.
        named = isinstance(key, dict) and {"id", "secret", "issuer"} <= key.keys()
        if not named or key.keys() - {"id", "secret", "issuer", "audience"}:
            raise ImproperlyConfigured(
                f"Key {number} of MONOLIFT['KEYS'] is not as it should be: give a dict with id, "
                "secret, issuer and, if it is for one receiver only, audience."
            )
