"""A helper that needs no module."""
