"""How often somebody may try, counted in the database: for all processes, and over a restart.

The counting is limits' (fixed windows); only its storage is ours. `settings.THROTTLES` has the
rates.
"""

import hashlib
import ipaddress
import math
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import HttpRequest
from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from config.identity.devices import device_of
from config.identity.models import Attempts
from monolift.kernel import clock

_SWEPT = 100


class TooManyAttempts(Exception):
    """It was tried too often; `retry_after` is the number of seconds until it may be again."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many attempts: try again in {retry_after} seconds.")
        self.retry_after = retry_after


class DatabaseStorage(Storage):
    """limits' counters as rows of `Attempts`. Counting at once counts every attempt."""

    STORAGE_SCHEME = ["django"]

    @property
    def base_exceptions(self) -> type[Exception]:
        """What `wrap_exceptions` would wrap; it is not used."""
        return Exception

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` more, in the window that runs or in a new one of `expiry` seconds."""
        now = clock.now()
        if not _add(key, amount):
            _sweep()
            try:
                with transaction.atomic():
                    Attempts.objects.filter(key=key, expires_at__lte=now).delete()
                    Attempts.objects.create(
                        key=key, count=amount, expires_at=now + timedelta(seconds=expiry)
                    )
            except IntegrityError:
                # Another opened the window meanwhile.
                _add(key, amount)
        return self.get(key)

    def get(self, key: str) -> int:
        """The count in the running window."""
        rows = Attempts.objects.filter(key=key, expires_at__gt=clock.now())
        return rows.values_list("count", flat=True).first() or 0

    def get_expiry(self, key: str) -> float:
        """When the window ends, as seconds since 1970; now without one."""
        now = clock.now()
        rows = Attempts.objects.filter(key=key, expires_at__gt=now)
        return (rows.values_list("expires_at", flat=True).first() or now).timestamp()

    def check(self) -> bool:
        """Whether the table can be read."""
        return Attempts.objects.exists() or True

    def reset(self) -> int | None:
        """Forget all counts."""
        return Attempts.objects.all().delete()[0]

    def clear(self, key: str) -> None:
        """Forget one count."""
        Attempts.objects.filter(key=key).delete()


def _add(key: str, amount: int) -> int:
    running = Attempts.objects.filter(key=key, expires_at__gt=clock.now())
    return running.update(count=F("count") + amount)


def _sweep() -> None:
    """Delete some windows that have ended. Nobody waits for a row that another sweeps."""
    with transaction.atomic():
        ended = Attempts.objects.select_for_update(skip_locked=True)
        ended = ended.filter(expires_at__lte=clock.now()).order_by("expires_at")
        keys = list(ended.values_list("key", flat=True)[:_SWEPT])
        Attempts.objects.filter(key__in=keys).delete()


_limiter = FixedWindowRateLimiter(DatabaseStorage())


@lru_cache
def _parsed(rate: str) -> RateLimitItem:
    return parse(rate)


def _rate(name: str) -> RateLimitItem:
    return _parsed(settings.THROTTLES[name])


def _hidden(who: str) -> str:
    """The table tells nobody who tried."""
    return hashlib.sha256(who.encode("utf-8", "surrogatepass")).hexdigest()


def _count(name: str, who: str) -> None:
    rate = _rate(name)
    if not _limiter.hit(rate, name, _hidden(who)):
        ends = _limiter.get_window_stats(rate, name, _hidden(who)).reset_time
        raise TooManyAttempts(max(1, math.ceil(ends - clock.now().timestamp())))


def count_sign_in(request: HttpRequest | None, email: str) -> None:
    """Count a try at a password, before it is checked. Raises TooManyAttempts.

    By account, whether it exists or not, and by the client's address. Counted first, so that tries
    made at once cannot all come through. A browser that has signed in to the account has tries of
    its own: who tries an address from elsewhere does not lock its owner out.
    """
    if request is not None:
        _count("sign_in_by_client", client(request))
    _count(*_whose(request, email))


def forgive(request: HttpRequest | None, email: str) -> None:
    """The password was right: earlier tries at this account count no more, or those of its browser.

    Those of the client still do; an attacker could start anew with an account of their own.
    """
    name, who = _whose(request, email)
    _limiter.clear(_rate(name), name, _hidden(who))


def _whose(request: HttpRequest | None, email: str) -> tuple[str, str]:
    device = None if request is None else device_of(request, email)
    return ("sign_in_by_device", device) if device else ("sign_in_by_account", email.lower())


def count_mail(request: HttpRequest, email: str) -> None:
    """Count a mail that somebody has us send, whoever it goes to. Raises TooManyAttempts."""
    _count("mail_by_client", client(request))
    _count("mail_by_recipient", email.lower())


def client(request: HttpRequest) -> str:
    """The client's address: the network of an IPv6 address, which is what one household has.

    Behind proxies of ours it is what the outermost of them saw: as many entries from the right of
    X-Forwarded-For as there are; what stands before those is what a client may have made up.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        seen = request.headers.get("X-Forwarded-For", "").split(",")
        seen = [entry.strip() for entry in seen if entry.strip()]
        if seen:
            address = seen[-min(settings.TRUSTED_PROXIES, len(seen))]
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)
