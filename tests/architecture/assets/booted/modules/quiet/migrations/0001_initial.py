from django.conf import settings
from django.db import migrations


def fill(apps, editor):
    apps.get_model("quiet", "Thing").objects.all()
    apps.get_model("auth", "Group").objects.all()


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("auth", "0001_initial"),
    ]
    operations = [migrations.RunPython(fill), migrations.RunSQL("SELECT 1 FROM quiet_thing")]
