"""Signed requests between deployables: a short-lived token for one request, made with a shared key.

    m1.<claims>.<signature>

Claims are JSON, the signature is HMAC-SHA256 (RFC 2104) of all before it, and both are base64url
without padding. The token names no algorithm: `m1` is one, and there is nothing to choose. It binds
method, path with query, body, sender, receiver and end user, and ends after a minute at most. Until
then a request can be repeated: whoever takes it in must bear it twice.
"""

import hmac
import re
import time
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Annotated

import msgspec

from monolift.kernel.errors import MonoliftError
from monolift.registry.callers import Caller

VERSION = "m1"
LONGEST = 60
"""Seconds that a token may be valid at most."""
SKEW = 5
"""Seconds by which the clocks of two machines may differ."""
SHORTEST_SECRET = 32
"""Bytes of a key: as long as the hash (RFC 2104, section 3)."""
_LONGEST_TOKEN = 4096

_NAME = r"^[A-Za-z0-9_.:-]{1,100}\Z"
type Name = Annotated[str, msgspec.Meta(pattern=_NAME)]


class SignatureRefused(MonoliftError):
    """A request that is not what it says. `status` is the HTTP status, `reason` names what fails.

    401: who sent it is not known. 403: it is known, and this was not meant for here or for it.
    """

    def __init__(self, reason: str, *, status: int = 401) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that deployables share. Its id travels, and says which of two live keys it is."""

    id: Name
    secret: bytes
    issuer: Name
    """Who signs with it. A key signs in one name only, whatever a token says."""
    audience: Name | None = None
    """Whom it may speak to; None: everybody who has it."""

    def __post_init__(self) -> None:
        for field in ("id", "issuer", "audience"):
            name: object = getattr(self, field)
            fits = isinstance(name, str) and re.match(_NAME, name)
            if not fits and (name is not None or field != "audience"):
                # Not what it is: that may be a secret which was misplaced.
                raise ValueError(
                    f"The {field} of a key has other characters, or more of them, than a token "
                    "carries: give 1 to 100 letters, digits, '_', '.', ':' and '-'."
                )
        if len(self.secret) < SHORTEST_SECRET:
            raise ValueError(
                f"The key {self.id!r} has {len(self.secret)} bytes; give at least "
                f"{SHORTEST_SECRET}, for example the output of `openssl rand -hex 32`."
            )

    def __repr__(self) -> str:
        return f"Key(id={self.id!r}, issuer={self.issuer!r}, audience={self.audience!r})"


class Claims(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What a token says. Times are whole seconds since 1970."""

    kid: Name
    iss: Name
    aud: Name
    iat: int
    exp: int
    htm: str
    """The method."""
    htu: str
    """The path with its query, as the request line has it."""
    sha: str
    """SHA-256 of the body, in hexadecimal."""
    usr: Caller | None = None
    """The end user on whose behalf it is sent."""

    def check_body(self, body: bytes) -> None:
        """Raise SignatureRefused unless this is the body that was signed."""
        if not hmac.compare_digest(self.sha, _digest(body)):
            raise SignatureRefused("The body is not the one that was signed.")


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Claims).decode


class Signer:
    """Signs requests in the name of one deployable, with one key."""

    def __init__(self, *, key: Key, lifetime: int = 30) -> None:
        if not 1 <= lifetime <= LONGEST:
            raise ValueError(f"A token lives 1 to {LONGEST} seconds, not {lifetime}.")
        self._key = key
        self._lifetime = lifetime

    def sign(
        self,
        *,
        audience: str,
        method: str,
        path: str,
        body: bytes,
        user: Caller | None = None,
        now: float | None = None,
    ) -> str:
        """The token for one request; send it as `Authorization: Bearer <token>`.

        `path` is the request target with its query, `user` whom it is sent for. `now` is Unix time,
        for tests.
        """
        if self._key.audience not in (None, audience):
            raise ValueError(
                f"The key {self._key.id!r} is for {self._key.audience}, not for {audience}."
            )
        issued = int(time.time() if now is None else now)
        claims = Claims(
            kid=self._key.id,
            iss=self._key.issuer,
            aud=audience,
            iat=issued,
            exp=issued + self._lifetime,
            htm=method,
            htu=path,
            sha=_digest(body),
            usr=user,
        )
        signed = f"{VERSION}.{_text(_encode(claims))}"
        return f"{signed}.{_text(_mac(self._key, signed))}"


class Verifier:
    """Checks the requests that come to one deployable, against the keys it knows."""

    def __init__(self, *, audience: str, keys: Iterable[Key], skew: float = SKEW) -> None:
        self._audience = audience
        self._keys = by_id(keys)
        self._skew = skew

    def claims(self, token: str, *, method: str, path: str, now: float | None = None) -> Claims:
        """What a token says, checked in all but the body: for `check_body`, once it is read.

        Raises SignatureRefused. So what nobody signed costs no more than its headers.
        """
        claims = self._authentic(token)
        moment = time.time() if now is None else now
        if claims.exp - claims.iat > LONGEST or claims.exp <= claims.iat:
            raise SignatureRefused(f"The token is made to be valid for longer than {LONGEST} s.")
        if claims.iat > moment + self._skew:
            raise SignatureRefused("The token is from the future. Compare the machines' clocks.")
        if claims.exp <= moment - self._skew:
            raise SignatureRefused("The token has expired. Compare the machines' clocks.")
        if (claims.htm, claims.htu) != (method, path):
            raise SignatureRefused(f"The token is for {claims.htm} {claims.htu}.")
        if claims.aud != self._audience:
            raise SignatureRefused(f"The token is for {claims.aud}.", status=403)
        return claims

    def verify(
        self, token: str, *, method: str, path: str, body: bytes, now: float | None = None
    ) -> Claims:
        """What a token says, all of it checked. Raises SignatureRefused."""
        claims = self.claims(token, method=method, path=path, now=now)
        claims.check_body(body)
        return claims

    def _authentic(self, token: str) -> Claims:
        if not token:
            raise SignatureRefused("The request is not signed.")
        signed, _, signature = token.rpartition(".")
        version, _, encoded = signed.partition(".")
        if version != VERSION or len(token) > _LONGEST_TOKEN:
            raise SignatureRefused(f"The token is not one of the kind {VERSION}.")
        try:
            claims = _decode(_bytes(encoded))
            given = _bytes(signature)
        except (ValueError, RecursionError):  # msgspec's and binascii's are ValueErrors
            raise SignatureRefused("The token cannot be read.") from None
        key = self._keys.get(claims.kid)
        if key is None:
            raise SignatureRefused(f"The key {claims.kid!r} is not known here.")
        if not hmac.compare_digest(_mac(key, signed), given):
            raise SignatureRefused("The signature does not fit.")
        if claims.iss != key.issuer or key.audience not in (None, claims.aud):
            raise SignatureRefused(
                f"The key {key.id!r} does not sign what {claims.iss} says to {claims.aud}.",
                status=403,
            )
        return claims


def bearer(header: str) -> str:
    """The token in an Authorization header; SignatureRefused when there is none."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise SignatureRefused("The request is not signed.")
    return token.strip()


def by_id(keys: Iterable[Key]) -> Mapping[str, Key]:
    """Keys by their ids; ValueError for two of one id."""
    found: dict[str, Key] = {}
    for key in keys:
        if key.id in found:
            raise ValueError(f"Two keys are called {key.id!r}. Give each its own id.")
        found[key.id] = key
    return found


def _digest(body: bytes) -> str:
    return sha256(body).hexdigest()


def _mac(key: Key, signed: str) -> bytes:
    return hmac.digest(key.secret, signed.encode(), "sha256")


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """base64url without padding, in its one canonical spelling."""
    raw = a2b_base64(
        text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), strict_mode=True
    )
    if _text(raw) != text:
        raise ValueError(text)
    return raw
