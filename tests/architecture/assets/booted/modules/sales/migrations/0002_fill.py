from django.db import migrations


def fill(apps, editor):
    apps.get_model("stock", "Article").objects.update(sku="")
    apps.get_model("sales", "Line").objects.update(article=None)


class Migration(migrations.Migration):
    dependencies = [("sales", "0001_initial")]
    operations = [
        migrations.RunPython(fill),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL("UPDATE stock_article SET sku = NULL")]
        ),
        migrations.RunSQL("UPDATE sales_line SET article_id = NULL"),
    ]
