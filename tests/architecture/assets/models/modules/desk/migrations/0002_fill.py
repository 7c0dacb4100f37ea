from django.db import migrations


def fill(apps, schema_editor):
    users = apps.get_model("people", "User")  # allowed: migration-operation
    apps.get_model("desk", "Ticket").objects.filter(by__in=users.objects.all())


class Migration(migrations.Migration):
    dependencies = [("desk", "0001_initial")]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL(
            "WITH catalog_product AS (SELECT 1) SELECT * FROM catalog_product, desk_ticket",  # allowed: migration-operation
            "SELECT 'catalog_maker' FROM desk_ticket",  # allowed: migration-operation
        ),
    ]
