from django.db import migrations, models

from modules.catalog.models import Maker


def fill(apps, schema_editor):
    product = apps.get_model("catalog", "Product")  # caught: migration-operation
    apps.get_model("orders.Line").objects.update(quantity=product.objects.count())
    further(apps)


def further(apps):
    return apps.get_model("catalog.Maker")  # caught: migration-operation


def empty(apps, schema_editor):
    from modules.catalog import services  # caught: migration-operation

    services.sold(None)
    schema_editor.execute("DELETE FROM catalog_note")  # caught: migration-operation


def by_import(apps, schema_editor):
    Maker.objects.all()  # caught: migration-operation


def never_run(apps, schema_editor):
    return apps.get_model("catalog", "Shelf")


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]
    operations = [
        migrations.RunPython(fill, empty),
        migrations.RunPython(by_import, migrations.RunPython.noop),
        migrations.RunSQL(
            "UPDATE orders_line SET quantity = (SELECT 1 FROM catalog_product)",  # caught: migration-operation
            "UPDATE orders_line SET quantity = 1 -- not catalog_maker",
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    [("DROP TABLE catalog_shelf", None)],  # caught: migration-operation
                    migrations.RunSQL.noop,
                ),
            ],
            state_operations=[
                migrations.CreateModel(
                    "Mirror",
                    fields=[("id", models.BigAutoField(primary_key=True))],
                    options={"db_table": "catalog_maker"},  # caught: migration-operation
                ),
            ],
        ),
    ]
