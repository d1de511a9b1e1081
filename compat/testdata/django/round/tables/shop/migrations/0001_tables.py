from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            name="User",
            fields=[("id", models.BigAutoField(primary_key=True)), ("email", models.TextField())],
            options={"db_table": "users"},
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("user_id", models.BigIntegerField(null=True)),
                ("number", models.TextField()),
                ("status", models.TextField()),
                ("amount", models.IntegerField()),
                ("fax", models.TextField(null=True)),
            ],
            options={"db_table": "orders"},
        ),
    ]
