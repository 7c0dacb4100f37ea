from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_fill")]
    operations = []

    def __init__(self, name, app_label):
        super().__init__(name, "catalog")  # caught: migration-operation
