from django.db import connections

from modules.orders.interface import Id
from modules.orders.models import Row

found = (Row, Id, connections[Row.objects.db])
