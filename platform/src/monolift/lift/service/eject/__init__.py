"""A module as a repository of its own; its contract stays behind in the monolith."""
