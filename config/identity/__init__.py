"""Who signs in. It belongs to the edge, not to a module: modules know a user by id only."""
