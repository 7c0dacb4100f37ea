from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),  # allowed: migration-dependency
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    run_before = [("admin", "0001_initial")]  # allowed: migration-dependency
    operations = []
