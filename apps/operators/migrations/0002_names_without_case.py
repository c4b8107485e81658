"""`Admin` and `admin` cannot both be operators. The table is Django's, so that the index is made here."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("operators", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE UNIQUE INDEX operators_name_once ON auth_user (lower(username))",
            "DROP INDEX operators_name_once",
        ),
    ]
