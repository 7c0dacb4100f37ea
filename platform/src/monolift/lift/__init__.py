"""Taking a module out into a process of its own, and putting it back."""
