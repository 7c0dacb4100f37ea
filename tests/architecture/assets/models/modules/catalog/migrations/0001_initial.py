from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    run_before = [("orders", "0001_initial")]  # caught: migration-dependency
    operations = []
