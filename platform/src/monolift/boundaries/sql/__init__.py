"""The SQL guard: whose tables a statement touches, and on whose behalf it runs."""
