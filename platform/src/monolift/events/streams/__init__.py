"""Streams: how events reach subscribers in another process, and how they come in from one."""
