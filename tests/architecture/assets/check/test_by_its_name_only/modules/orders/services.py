from modules.orders.ab_test import price
