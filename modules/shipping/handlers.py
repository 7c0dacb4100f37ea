"""What shipping does when others announce something."""

from modules.profiles.events import CustomerForgotten
from modules.shipping.tasks import LATER, forget_needless, forget_recipients
from monolift import atomic, subscribe


@subscribe(CustomerForgotten)
def forget_customer(event: CustomerForgotten) -> None:
    """Forget whom their parcels go to. Looked again, as an order may be on its way here."""
    with atomic():
        forget_needless(event.user_id)
        forget_recipients.after(LATER).enqueue(customer_id=event.user_id)
