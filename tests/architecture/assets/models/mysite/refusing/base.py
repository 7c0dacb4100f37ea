"""A database that must not be asked."""

from django.db.backends.sqlite3 import base, features


class DatabaseFeatures(features.DatabaseFeatures):
    supports_json_field = True  # Django's own check of JSONField would ask


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures

    def connect(self):
        raise SystemExit("The database was asked.")
