"""The customer of requests without an API key (contract 1.4)."""

from django.db import migrations

from apps.customers.models import DEFAULT_CUSTOMER_ID


def create(apps, schema_editor):
    Customer = apps.get_model("customers", "Customer")
    Customer.objects.get_or_create(id=DEFAULT_CUSTOMER_ID, defaults={"slug": "default", "name": "Default"})


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
