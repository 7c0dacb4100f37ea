from django.db.models.signals import post_save
from django.dispatch import receiver

from modules.inventory.models import Stock


@receiver(post_save, sender=Stock)
def changed(sender, **_):
    pass


post_save.connect(changed, sender="inventory.Stock")
