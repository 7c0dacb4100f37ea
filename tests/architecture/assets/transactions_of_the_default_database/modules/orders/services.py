import django.db.transaction
from django import db
from django.db import (
    connection,
    models,
    transaction as tx,
)
from django.db.transaction import atomic


def write():
    with django.db.transaction.atomic():
        return db, connection, models, tx, atomic


def read():
    from django.db import DEFAULT_DB_ALIAS, connections

    return connections["default"], connections[DEFAULT_DB_ALIAS]


def by_other_names():
    import django.db as base
    from django.db import connections as links

    links["default"].cursor()
    base.transaction.atomic()
    Order.objects.using("default").get()
