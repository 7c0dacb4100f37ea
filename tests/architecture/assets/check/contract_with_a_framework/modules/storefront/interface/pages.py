class Page:
    """What is shown."""
