"""Concurrently: on a live table nobody waits for it. A partial unique index is what Django makes of the constraint."""

from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("tokens", "0003_session_request_mark")]

    operations = [
        migrations.RunSQL(
            sql=[
                'DROP INDEX CONCURRENTLY IF EXISTS "session_request_once"',  # an interrupted try leaves an invalid one
                'CREATE UNIQUE INDEX CONCURRENTLY "session_request_once" ON "tokens_session" ("request_mark") WHERE "request_mark" IS NOT NULL',
            ],
            reverse_sql='DROP INDEX CONCURRENTLY IF EXISTS "session_request_once"',
            state_operations=[
                migrations.AddConstraint(
                    model_name="session",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("request_mark__isnull", False)),
                        fields=("request_mark",),
                        name="session_request_once",
                    ),
                ),
            ],
        ),
    ]
