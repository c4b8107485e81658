"""Room for the new version of a row beside the old one: what a sign-in notes is in no index, so it writes the row alone (HOT)."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0001_initial'),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE users_user SET (fillfactor = 85)",
            "ALTER TABLE users_user RESET (fillfactor)",
        ),
    ]
