"""Deadlines, backoff and idempotency keys; each usable alone."""
