"""A refresh writes a third of what it wrote: see `models`."""

import apps.tokens.models
import django.db.models.deletion
from django.db import migrations, models

# Room for the versions of rows that a refresh changes, so that they need no entry in any index.
ROOM = """
ALTER TABLE tokens_session SET (fillfactor = 80);
ALTER TABLE tokens_refreshtoken SET (fillfactor = 85);
"""
NO_ROOM = """
ALTER TABLE tokens_session RESET (fillfactor);
ALTER TABLE tokens_refreshtoken RESET (fillfactor);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0011_files_and_remembered_devices'),
        ('tokens', '0009_oauth_sessions'),
        ('users', '0006_credentials_version'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='session',
            name='session_alive',
        ),
        migrations.RemoveIndex(
            model_name='session',
            name='session_expiry',
        ),
        migrations.AddField(
            model_name='session',
            name='expiry_week',
            field=models.GeneratedField(db_persist=True, expression=apps.tokens.models.WeekOf('expires_at'), output_field=models.DateField()),
        ),
        migrations.AlterField(
            model_name='refreshtoken',
            name='signing_secret',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.signingsecret'),
        ),
        migrations.AlterField(
            model_name='refreshtoken',
            name='successor',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tokens.refreshtoken'),
        ),
        migrations.AlterField(
            model_name='session',
            name='customer',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer'),
        ),
        migrations.AlterField(
            model_name='session',
            name='user',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to='users.user'),
        ),
        migrations.AddIndex(
            model_name='session',
            index=models.Index(fields=['user', 'ended_at'], name='session_user'),
        ),
        migrations.AddIndex(
            model_name='session',
            index=models.Index(fields=['expiry_week'], name='session_expiry'),
        ),
        migrations.RunSQL(ROOM, NO_ROOM),
    ]
