from django.db import migrations
from django.db.models import F, Value
from django.db.models.functions import Concat


def forwards(apps, schema_editor):
    orders = apps.get_model("shop", "Order").objects.filter(note=None)
    print(orders.update(note=Concat(Value("order "), F("number"))), "rows")


def backwards(apps, schema_editor):
    apps.get_model("shop", "Order").objects.exclude(note=None).update(note=None)


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_columns")]
    atomic = False
    operations = [migrations.RunPython(forwards, backwards)]
