from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monolift_db", "0003_lifts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Process",
            fields=[
                ("id", models.TextField(primary_key=True, serialize=False)),
                ("deployable", models.TextField()),
                ("epoch", models.BigIntegerField()),
                ("databases", models.TextField()),
                ("seen_at", models.DateTimeField()),
            ],
            options={
                "db_table": "monolift_process",
            },
        ),
    ]
