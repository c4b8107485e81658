from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('signin', '0002_answer_signed_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='resettoken',
            name='in_sandbox',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
