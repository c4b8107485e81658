"""The customer of requests without an API key, and its first secrets (contract 1.4)."""

from django.db import migrations
from django.utils import timezone

from apps.customers.keyring import fill_secret
from apps.customers.models import DEFAULT_CUSTOMER_ID


def create(apps, schema_editor):
    Customer = apps.get_model("customers", "Customer")
    SigningSecret = apps.get_model("customers", "SigningSecret")
    default = Customer.objects.create(id=DEFAULT_CUSTOMER_ID, slug="default", name="Default")
    secret = SigningSecret(customer=default, algorithm=default.algorithm, created_at=timezone.now())
    fill_secret(secret)
    secret.save(force_insert=True)


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
