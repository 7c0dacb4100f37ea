"""Reading what another deployable signed."""

from django.http import HttpRequest

from monolift.transport import trust
from monolift.transport.signing import Claims, bearer


class TooLarge(ValueError):
    """More bytes than are read."""


def read(request: HttpRequest, *, largest: int) -> tuple[Claims, bytes]:
    """The claims and the body of a request that a known deployable signed for this one.

    Nothing of the body is read before the signature is right. Raises SignatureRefused, TooLarge.
    """
    claims = trust.verifier().claims(
        bearer(request.headers.get("Authorization", "")),
        method=request.method or "",
        path=request.get_full_path(),
    )
    body = request.read(largest + 1)
    if len(body) > largest:
        raise TooLarge(f"more than {largest} bytes")
    claims.check_body(body)
    return claims, body
