"""The virtual partition: a module's tables stay where they are, and only its own role writes them."""
