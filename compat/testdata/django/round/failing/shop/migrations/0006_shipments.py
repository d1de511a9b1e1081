from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0005_backfill")]
    operations = [
        migrations.CreateModel(
            name="Shipment",
            fields=[("order_id", models.BigIntegerField(primary_key=True))],
            options={"db_table": "shipments"},
        ),
        # Fails: several orders have the same amount.
        migrations.AddConstraint("Order", models.UniqueConstraint(fields=["amount"], name="orders_amount_key")),
    ]
