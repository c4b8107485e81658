"""How long what a version of a customer's secrets has signed may live, kept with the version.

Of present versions nobody knows under which lifetimes they have signed: they get the longest that a policy may give.
"""

from django.db import migrations, models

LONGEST = "UPDATE customers_signingsecret SET signed_until = now() + interval '90 days' WHERE retires_at IS NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0008_reauthenticate_after"),
    ]

    operations = [
        migrations.AddField(
            model_name="signingsecret",
            name="signed_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(LONGEST, migrations.RunSQL.noop),
    ]
