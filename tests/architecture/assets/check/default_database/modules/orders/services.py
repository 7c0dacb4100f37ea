from django.db import connection, connections, transaction


def pay():
    with transaction.atomic():
        connections["default"].cursor()
