"""Gives secrets to customers who have none: those of earlier versions, and the default customer."""

from django.db import migrations
from django.utils import timezone

from apps.customers.keyring import fill_secret


def give_secrets(apps, schema_editor):
    Customer = apps.get_model("customers", "Customer")
    SigningSecret = apps.get_model("customers", "SigningSecret")
    for customer in Customer.objects.filter(signing_secrets__isnull=True).iterator(chunk_size=500):
        secret = SigningSecret(customer=customer, algorithm=customer.algorithm, created_at=timezone.now())
        fill_secret(secret)
        secret.save(force_insert=True)


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_default_customer")]

    operations = [migrations.RunPython(give_secrets, migrations.RunPython.noop)]
