"""What a codemod raises when it refuses."""


class CodemodError(Exception):
    """Nothing was written. The message names the thing and the way out, in one line."""
