"""Clean under both checkers."""
