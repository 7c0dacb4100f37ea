from django.db import connection, connections, transaction


def pay():
    with transaction.atomic():
        connections["default"].cursor()


def by_other_names():
    import django.db as base
    from django.db import connections as links
    from django.db import *

    base.transaction.atomic()
    links["default"], links[alias]


def by_its_alias(model, form):
    model.objects.using("default").create()
    model.objects.db_manager(using="default").create()
    model.save(using="default")
    form.get("default")
    model.objects.using(alias).create(name="default")
