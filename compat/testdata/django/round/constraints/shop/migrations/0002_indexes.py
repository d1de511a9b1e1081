from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_tables")]
    operations = [
        migrations.AddIndex("Order", models.Index(fields=["user_id"], name="orders_user_id_idx")),
        migrations.AddConstraint("Order", models.UniqueConstraint(fields=["number"], name="orders_number_key")),
    ]
