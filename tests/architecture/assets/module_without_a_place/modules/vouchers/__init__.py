"""Nobody decided who may call this."""
