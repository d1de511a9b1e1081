from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_constraints")]
    operations = [
        migrations.RemoveField("Order", "fax"),
        migrations.RenameField("Order", "status", "state"),
        migrations.AddField("Order", "note", models.TextField(null=True)),
    ]
