"""What stops pages from being written."""


class DocumentsError(Exception):
    """The pages cannot be made or written; the message names the thing and the way out."""
