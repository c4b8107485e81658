"""Which events wait for their place in the chain is written down by the database, so that nobody has to look for them."""

import django.db.models.deletion
from django.db import migrations, models

FUNCTION = """
CREATE FUNCTION audit_note_unchained() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_unchainedevent (event_id) VALUES (NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER audit_event_unchained AFTER INSERT ON audit_event
  FOR EACH ROW EXECUTE FUNCTION audit_note_unchained();
"""
UNDO = """
DROP TRIGGER audit_event_unchained ON audit_event;
DROP FUNCTION audit_note_unchained();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_no_second_log")]

    operations = [
        migrations.CreateModel(
            name="UnchainedEvent",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="audit.event",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(FUNCTION, UNDO),
    ]
