"""Concurrently: on a live table nobody waits for it."""

from django.db import migrations, models

from apps.core.index_operations import AddIndexOnLiveTable


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mail", "0005_spent_codes")]

    operations = [
        AddIndexOnLiveTable(
            model_name="message",
            index=models.Index(
                condition=models.Q(("code_set", ""), _negated=True),
                fields=["code_set", "expires_at"],
                name="message_code_set",
            ),
        ),
    ]
