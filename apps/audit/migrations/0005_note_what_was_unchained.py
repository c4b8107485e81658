"""What waited when the trigger came. Apart from it: the trigger's lock is not held meanwhile, and nothing is missed between the two."""

from django.db import migrations

NOTE = """
INSERT INTO audit_unchainedevent (event_id)
SELECT event.id FROM audit_event AS event
WHERE NOT EXISTS (SELECT 1 FROM audit_chainlink AS link WHERE link.event_id = event.id)
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_unchained_events")]

    operations = [migrations.RunSQL(NOTE, migrations.RunSQL.noop)]
