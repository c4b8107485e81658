"""Room for the versions of rows that a refresh changes, so that they need no entry in any index: see `models`."""

from django.db import migrations

ROOM = """
ALTER TABLE tokens_session SET (fillfactor = 80);
ALTER TABLE tokens_refreshtoken SET (fillfactor = 85);
"""
NO_ROOM = """
ALTER TABLE tokens_session RESET (fillfactor);
ALTER TABLE tokens_refreshtoken RESET (fillfactor);
"""


class Migration(migrations.Migration):
    dependencies = [("tokens", "0001_initial")]

    operations = [migrations.RunSQL(ROOM, NO_ROOM)]
