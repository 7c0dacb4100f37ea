"""Two prices, tried on customers."""

from django.db import transaction
from lib.stock import count
from modules.inventory.models import Stock
from modules.orders.tests import factories
