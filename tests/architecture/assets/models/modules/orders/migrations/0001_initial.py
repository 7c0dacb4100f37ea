from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("catalog", "0001_initial"),  # caught: migration-dependency
    ]
    operations = []
