"""Where old rows are."""


class ArchiveRouter:
    """Sends the models of an app called archive to their database."""

    def db_for_read(self, model, **hints):
        return "archive" if model._meta.app_label == "archive" else None

    db_for_write = db_for_read
