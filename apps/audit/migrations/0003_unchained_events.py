"""Which events wait for their place in the chain is written down by the database, so that nobody has to look for them."""

from django.db import migrations

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
    dependencies = [("audit", "0002_append_only")]

    operations = [migrations.RunSQL(FUNCTION, UNDO)]
