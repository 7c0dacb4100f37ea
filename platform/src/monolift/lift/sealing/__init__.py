"""The virtual partition: a module's tables stay where they are, written by its own role only."""
