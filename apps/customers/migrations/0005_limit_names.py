"""The names of limits are looked up where they are listed: another one needs no migration. No statement is run."""

from django.db import migrations, models

import apps.customers.models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0004_accounts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="limitoverride",
            name="name",
            field=models.CharField(choices=apps.customers.models.limit_names, max_length=64),
        ),
    ]
