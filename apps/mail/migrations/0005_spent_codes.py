"""Whether a code was used is kept with its message. The columns have defaults, so that processes of the version before go on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mail", "0004_language_asked_for")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="code_set",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="message",
            name="code_spent_at",
            field=models.DateTimeField(null=True),
        ),
    ]
