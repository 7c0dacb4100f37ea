from ..inventory.models import Stock
from ..inventory import services
