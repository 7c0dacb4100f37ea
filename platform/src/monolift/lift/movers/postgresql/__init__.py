"""Moving a module between databases of PostgreSQL (15 or later), by its own logical replication."""
