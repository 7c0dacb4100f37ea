"""What is counted."""

from shop.catalogue.models import Product


class Seller(Product):
    """A product as the reports see it: the same rows."""

    class Meta:
        proxy = True
