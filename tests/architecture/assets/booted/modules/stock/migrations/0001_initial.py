from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = [("contenttypes", "0001_initial")]
    run_before = [("sales", "0001_initial")]
    operations = []
