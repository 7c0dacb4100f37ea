"""What cannot be written for a service."""


class ServiceError(Exception):
    """The message names the thing and the way out, in one line."""
