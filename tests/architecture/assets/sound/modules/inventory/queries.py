from django.db import connections

from modules.inventory.interface import Id
from modules.inventory.models import Row

found = (Row, Id, connections[Row.objects.db])
