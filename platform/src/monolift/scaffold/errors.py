"""What the scaffold raises when it refuses."""


class ScaffoldError(Exception):
    """Nothing was written. The message names the thing and the way out, in one line."""
