"""On PostgreSQL, between databases of throw-away servers."""
