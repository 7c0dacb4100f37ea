"""The whole platform in one thread: every interleaving, kill and clock step comes from a seed."""
