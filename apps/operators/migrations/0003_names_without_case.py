"""`Admin` and `admin` cannot both be operators. The table is Django's, so that the index is made here."""

from django.core.management.base import CommandError
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

DUPLICATES = """
SELECT string_agg(username, ', ' ORDER BY id) FROM auth_user GROUP BY lower(username) HAVING count(*) > 1
"""


def require_different_names(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute(DUPLICATES)
        found = [row[0] for row in cursor.fetchall()]
    if found:
        raise CommandError(
            f"These operators differ in upper and lower case alone: {'; '.join(found)}. Their names will be one name. "
            "Rename or delete all but one of each in the admin of the release that runs now, then migrate again."
        )


class Migration(migrations.Migration):
    dependencies = [
        ("operators", "0002_move_devices"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunPython(require_different_names, migrations.RunPython.noop),
        migrations.RunSQL(
            "CREATE UNIQUE INDEX operators_name_once ON auth_user (lower(username))",
            "DROP INDEX operators_name_once",
        ),
    ]
