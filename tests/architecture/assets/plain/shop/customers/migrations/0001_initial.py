"""The first tables."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Customers."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("email", models.EmailField(max_length=254)),
            ],
        )
    ]
