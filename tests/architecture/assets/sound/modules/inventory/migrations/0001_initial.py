from django.db import migrations

Migration = migrations.Migration
