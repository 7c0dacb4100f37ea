from modules.desk.models import Ticket


def found(ticket: Ticket):
    ticket.queue_set.filter(group__name="x")  # allowed: reverse-accessor
    return Ticket.objects.filter(by__email="x", queue__group__name="y").select_related("by")


class Basket:
    line_set: list[str] = []


def held(basket):
    return basket.line_set.count("x")  # allowed: reverse-accessor
