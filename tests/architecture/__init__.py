"""The guards of the architecture, and proof that each of them can fail."""
