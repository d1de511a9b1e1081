import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_indexes")]
    operations = [
        migrations.AddConstraint("Order", models.CheckConstraint(check=models.Q(amount__gte=0), name="orders_amount_check")),
        migrations.AlterField("Order", "user_id", models.BigIntegerField()),
        # The new column's index and foreign key are deferred SQL: Django records this migration after its COMMIT.
        migrations.AddField("Order", "payer", models.ForeignKey("shop.User", models.deletion.PROTECT, null=True, related_name="paid")),
    ]
