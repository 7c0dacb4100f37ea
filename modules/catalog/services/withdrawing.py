"""Taking a product off the shelves."""

from modules.catalog import models
from modules.catalog.events import ProductWithdrawn
from modules.catalog.interface import ProductNotFound
from modules.catalog.services.publishing import count
from monolift import atomic, publish


def withdraw(slug: str) -> None:
    """Withdraw the product and its variants; see `Catalog.withdraw_product`."""
    with atomic():
        # Its category first, as whoever publishes locks them.
        place = models.Category.objects.filter(products__slug=slug)
        list(place.select_for_update(of=("self",)).values_list("slug"))
        product = models.Product.objects.select_for_update().filter(slug=slug).first()
        if product is None:
            raise ProductNotFound(slug=slug)
        if product.withdrawn:
            return
        product.withdrawn = True
        product.save(update_fields=["withdrawn"])
        count([(product.category_id, None)])
        product.variants.filter(withdrawn=False).update(withdrawn=True)
        publish(ProductWithdrawn(product_id=product.id, slug=slug))
