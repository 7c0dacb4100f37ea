"""Payments as a module."""

from modules.payments.interface import Payments
from monolift import Module


class PaymentsModule(Module):
    """Payments and their ledger."""

    name = "modules.payments"
    owner = "team-payments"
    provides = {Payments: "modules.payments.services.PaymentsService"}
