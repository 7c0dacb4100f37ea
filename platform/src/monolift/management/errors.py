"""What a verb raises when it cannot do what was asked."""


class VerbError(Exception):
    """The message names the thing and the way out, in one line; the exit code is 1."""
