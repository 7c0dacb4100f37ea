"""The floor's tables."""

from django.db import models


class Article(models.Model):
    """Something for sale, with its price in minor units."""

    sku = models.CharField(max_length=64, primary_key=True)
    title = models.CharField(max_length=200)
    price = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    def __str__(self) -> str:
        return self.sku


class Stock(models.Model):
    """How many can be bought."""

    sku = models.CharField(max_length=64, primary_key=True)
    available = models.BigIntegerField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(available__gte=0), name="floor_never_oversold"
            ),
        )

    def __str__(self) -> str:
        return self.sku


class Basket(models.Model):
    """What somebody is about to buy."""

    id = models.UUIDField(primary_key=True)
    currency = models.CharField(max_length=3)
    address = models.JSONField(null=True)
    delivery = models.CharField(max_length=10, blank=True)
    order_id = models.UUIDField(null=True)

    def __str__(self) -> str:
        return str(self.id)


class BasketLine(models.Model):
    """So many of an article."""

    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="lines")
    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["basket", "article"], name="floor_article_once_a_basket"
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} x {self.article_id}"


class Order(models.Model):
    """What was bought."""

    id = models.UUIDField(primary_key=True)
    basket_id = models.UUIDField(unique=True)
    state = models.CharField(max_length=6)
    currency = models.CharField(max_length=3)
    total = models.BigIntegerField()
    address = models.JSONField()
    delivery = models.CharField(max_length=10)
    placed_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.id)


class OrderLine(models.Model):
    """What was bought, at the price it was bought for."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    sku = models.CharField(max_length=64)
    title = models.CharField(max_length=310)
    quantity = models.PositiveIntegerField()
    unit = models.BigIntegerField()
    total = models.BigIntegerField()

    def __str__(self) -> str:
        return self.sku


class Payment(models.Model):
    """The money for an order."""

    reference = models.UUIDField(primary_key=True)
    state = models.CharField(max_length=10)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    charge = models.CharField(max_length=100)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.reference)


class Outbox(models.Model):
    """What others are to hear of."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=100)
    body = models.JSONField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Intent(models.Model):
    """That a call to the card network is about to be made."""

    id = models.UUIDField(primary_key=True)
    what = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.what
