from modules.orders.apps import TheModule

lifted = TheModule
