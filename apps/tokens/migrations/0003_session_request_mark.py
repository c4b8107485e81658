"""The mark of the request that began a session: what is sent again begins no other."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tokens", "0002_accounts")]

    operations = [
        migrations.AddField(
            model_name="session",
            name="request_mark",
            field=models.BinaryField(max_length=32, null=True),
        ),
    ]
