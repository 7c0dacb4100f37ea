"""The edge: request scope, problems as RFC 9457 says, idempotency keys from the header."""
