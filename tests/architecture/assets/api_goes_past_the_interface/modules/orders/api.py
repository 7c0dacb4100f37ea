from modules.orders.services import written

router = written
