"""The proxy."""

from django.db import migrations


class Migration(migrations.Migration):
    """Sellers."""

    initial = True
    dependencies = [("catalogue", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Seller",
            fields=[],
            options={"proxy": True, "indexes": [], "constraints": []},
            bases=("catalogue.product",),
        )
    ]
