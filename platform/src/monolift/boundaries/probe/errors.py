"""What a probe raises when it cannot look at a project."""


class ProbeError(Exception):
    """The message names the file and the way out, in one line."""
