"""The first tables."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Orders."""

    initial = True
    dependencies = [("catalogue", "0001_initial"), ("customers", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("placed_at", models.DateTimeField(auto_now_add=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=models.PROTECT, related_name="orders", to="customers.customer"
                    ),
                ),
                (
                    "products",
                    models.ManyToManyField(related_name="orders", to="catalogue.product"),
                ),
            ],
        )
    ]
