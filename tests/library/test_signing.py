"""Signed requests: what was signed passes, and nothing else does."""

import base64
import hmac
import json
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from msgspec.structs import force_setattr

from monolift.transport.signing import (
    LONGEST,
    SKEW,
    Key,
    SignatureRefused,
    Signer,
    Verifier,
    bearer,
)

NOW = 1_795_000_000
KEY = Key(id="shop-1", secret=b"s" * 32, issuer="shop")
NEXT = Key(id="shop-2", secret=b"t" * 32, issuer="shop")
OFFICE = Key(id="office-1", secret=b"o" * 32, issuer="office")
CALL: dict[str, Any] = {"method": "POST", "path": "/events?a=1", "body": b"[1]"}
VERIFIER = Verifier(audience="warehouse", keys=[KEY, NEXT, OFFICE])


def token(key: Key = KEY, *, lifetime: int = 30, **changes: Any) -> str:
    call = {"audience": "warehouse", "now": NOW, **CALL, **changes}
    return Signer(key=key, lifetime=lifetime).sign(**call)


def refused(given: str, *, verifier: Verifier = VERIFIER, **changes: Any) -> SignatureRefused:
    with pytest.raises(SignatureRefused) as error:
        verifier.verify(given, **{"now": NOW, **CALL, **changes})
    return error.value


def forged(claims: dict[str, Any] | bytes, *, secret: bytes = b"s" * 32, head: str = "m1") -> str:
    """A token around any claims, signed with a secret."""
    raw = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    signed = f"{head}.{encoded(raw)}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claimed(given: str) -> dict[str, Any]:
    part = given.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=st.text(st.characters(codec="ascii"), max_size=200),
    body=st.binary(max_size=200),
    lifetime=st.integers(1, LONGEST),
)
def test_what_was_signed_passes(method: str, path: str, body: bytes, lifetime: int) -> None:
    call: dict[str, Any] = {"method": method, "path": path, "body": body}
    signed = token(lifetime=lifetime, **call)
    assert VERIFIER.verify(signed, **call, now=NOW).iss == "shop"


@given(body=st.binary(max_size=100), path=st.text(max_size=50), method=st.text(max_size=8))
@example(body=b"[1] ", path="/events?a=1", method="POST")
@example(body=b"[1]", path="/events", method="POST")
@example(body=b"[1]", path="/events?a=2", method="POST")
@example(body=b"[1]", path="/events?a=1&b", method="POST")
@example(body=b"[1]", path="/events?a=1", method="post")
@example(body=b"[1]", path="/events?a=1", method="PUT")
@example(body=b"", path="/events?a=1", method="POST")
def test_any_other_request_is_refused(body: bytes, path: str, method: str) -> None:
    other = {"method": method, "path": path, "body": body}
    assume(other != CALL)
    assert refused(token(), **other).status == 401


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_token_with_any_bit_changed_is_refused(place: int, bit: int) -> None:
    good = token().encode()
    place %= len(good)
    changed = good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :]
    assert refused(changed.decode("latin-1")).status in {401, 403}


@given(given=st.text(max_size=300))
@example(given="")
@example(given="m1.")
@example(given="m1..")
@example(given="m1.e30.e30")
@example(given="." * 5000)
@example(given="m1." + "W1tb" * 1000 + ".AA")
@example(given="m1.\ud800.\ud800")
def test_anything_else_is_refused(given: str) -> None:
    assert refused(given).status == 401


@given(secret=st.binary(min_size=32, max_size=64))
def test_another_secret_under_a_known_id_is_refused(secret: bytes) -> None:
    assume(secret != KEY.secret)
    other = Key(id=KEY.id, secret=secret, issuer="shop")
    assert refused(token(other)).reason == "The signature does not fit."


def test_a_key_that_is_not_known_is_refused() -> None:
    other = Key(id="shop-1", secret=b"s" * 32, issuer="shop")
    force_setattr(other, "id", "../shop-1")  # no Key has such an id
    assert "cannot be read" in refused(token(other)).reason
    other = Key(id="shop-9", secret=b"s" * 32, issuer="shop")
    assert refused(token(other)).reason == "The key 'shop-9' is not known here."


def test_two_keys_live_at_once() -> None:
    for key in (KEY, NEXT):
        assert VERIFIER.verify(token(key), **CALL, now=NOW).kid == key.id
    only_new = Verifier(audience="warehouse", keys=[NEXT])
    assert refused(token(KEY), verifier=only_new).status == 401


def test_a_token_for_another_deployable_is_refused() -> None:
    error = refused(token(audience="office"))
    assert (error.status, error.reason) == (403, "The token is for office.")


def test_a_key_signs_in_its_own_name_only() -> None:
    claims = claimed(token(OFFICE)) | {"iss": "shop"}
    error = refused(forged(claims, secret=OFFICE.secret))
    assert (error.status, "does not sign what shop says" in error.reason) == (403, True)


def test_a_key_for_one_receiver_is_good_for_that_one_only() -> None:
    pair = Key(id="p", secret=b"p" * 32, issuer="shop", audience="office")
    with pytest.raises(ValueError, match="is for office, not for warehouse"):
        token(pair)
    anywhere = Key(id="p", secret=b"p" * 32, issuer="shop")
    assert refused(token(anywhere), verifier=Verifier(audience="warehouse", keys=[pair]))


@pytest.mark.parametrize(
    ("later", "passes"),
    [
        (-SKEW - 1, False),
        (-SKEW, True),
        (0, True),
        (29, True),
        (30 + SKEW - 1, True),
        (30 + SKEW, False),
        (3600, False),
    ],
)
def test_a_token_has_its_time(later: int, passes: bool) -> None:
    if passes:
        VERIFIER.verify(token(), **CALL, now=NOW + later)
    else:
        reason = refused(token(), now=NOW + later).reason
        assert ("future" if later < 0 else "expired") in reason


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW + 61},
        {"exp": NOW + 10**9},
        {"exp": NOW},
        {"exp": NOW - 10, "iat": NOW},
        {"exp": str(NOW + 30)},
        {"exp": None},
        {"exp": NOW + 30.5},
        {"iat": True},
        {"alg": "none"},
        {"aud": ["warehouse"]},
        {"kid": {"shop-1": 1}},
        {"sha": ""},
    ],
    ids=repr,
)
def test_claims_that_are_not_as_they_should_be_are_refused(changes: dict[str, Any]) -> None:
    """Signed with the right key: this is not about the signature."""
    assert refused(forged(claimed(token()) | changes)).status == 401


@pytest.mark.parametrize("claim", ["kid", "iss", "aud", "iat", "exp", "htm", "htu", "sha"])
def test_no_claim_may_be_missing(claim: str) -> None:
    claims = claimed(token())
    del claims[claim]
    assert refused(forged(claims)).status == 401


def test_the_algorithm_is_not_to_be_chosen() -> None:
    claims = claimed(token())
    header = encoded(json.dumps({"alg": "none", "typ": "JWT", "kid": "shop-1"}).encode())
    body = encoded(json.dumps(claims).encode())
    for other in (f"{header}.{body}.", f"{header}.{body}", f"m1.{body}.", f"m0.{body}.AA"):
        assert refused(other).status == 401
    assert refused(forged(claims, head="m2")).status == 401
    signed = f"m1.{body}"
    for algorithm in ("sha1", "md5", "sha512"):
        mac = encoded(hmac.digest(KEY.secret, signed.encode(), algorithm))
        assert refused(f"{signed}.{mac}").reason == "The signature does not fit."


def test_a_second_spelling_of_a_token_is_refused() -> None:
    head, body, signature = token().split(".")
    for other in (signature + "=", signature + "\n", " " + signature, signature + "A"):
        assert refused(f"{head}.{body}.{other}").status == 401


def test_the_body_is_checked_apart() -> None:
    """What is not signed is refused before its body is read."""
    claims = VERIFIER.claims(token(), method="POST", path="/events?a=1", now=NOW)
    claims.check_body(b"[1]")
    with pytest.raises(SignatureRefused, match="body"):
        claims.check_body(b"[2]")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "abc"])
def test_a_request_without_a_token_is_not_signed(header: str) -> None:
    with pytest.raises(SignatureRefused, match="not signed"):
        bearer(header)


def test_a_weak_key_is_refused_and_no_key_shows_its_secret() -> None:
    with pytest.raises(ValueError, match="has 31 bytes; give at least 32"):
        Key(id="k", secret=b"s" * 31, issuer="shop")
    assert "sss" not in f"{KEY} {KEY!r} {[KEY]}"


def test_two_keys_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="Two keys are called 'shop-1'"):
        Verifier(audience="warehouse", keys=[KEY, KEY])


def test_a_token_does_not_live_long() -> None:
    with pytest.raises(ValueError, match="1 to 60 seconds, not 61"):
        Signer(key=KEY, lifetime=61)
