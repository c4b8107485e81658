from django.db import migrations


class Migration(migrations.Migration):
    """The tables are named after what they count: how much of a quota is used."""

    dependencies = [
        ("mail", "0009_no_bounces"),
    ]

    operations = [
        migrations.RenameModel(old_name="Allowance", new_name="MailQuotaUse"),
        migrations.RenameModel(old_name="TextAllowance", new_name="SmsQuotaUse"),
    ]
