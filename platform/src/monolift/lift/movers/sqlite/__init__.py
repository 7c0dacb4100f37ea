"""From one SQLite file to another: a copy, what changed meanwhile, and a fence of milliseconds."""
