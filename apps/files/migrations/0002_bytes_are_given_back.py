"""Whatever deletes a file's row, its bytes no longer count for the customer: an erasure, an expiry, a customer's own deletion."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION files_give_bytes_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE files_fileuse SET bytes = bytes - OLD.size WHERE customer_id = OLD.customer_id;
  RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE TRIGGER files_bytes_given_back AFTER DELETE ON files_userfile
  FOR EACH ROW EXECUTE FUNCTION files_give_bytes_back();
"""


class Migration(migrations.Migration):
    dependencies = [("files", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION files_give_bytes_back();"),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER files_bytes_given_back ON files_userfile;"),
    ]
