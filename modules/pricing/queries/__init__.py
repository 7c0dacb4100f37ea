"""Reads, and the arithmetic of quotes."""
