"""Secrets that are handed out once and kept as digests."""

import hashlib
import secrets


def new_secret(prefix: str = "") -> str:
    """256 random bits behind a prefix, in letters that need no escaping in a URL or a header."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret: SHA-256, in hexadecimal.

    No salt and no stretching: nobody searches 256 random bits (NIST SP 800-63B, 5.1.2.2).
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
