"""What the templates load."""
