"""Another algorithm to choose from. No statement is run."""

from django.db import migrations, models

ALGORITHMS = [
    ("HS256", "HS256 (shared secret)"),
    ("HS512", "HS512 (shared secret)"),
    ("ES256", "ES256 (key pair, P-256)"),
    ("EdDSA", "EdDSA (key pair, Ed25519)"),
    ("RS256", "RS256 (key pair, RSA of 3,072 bits)"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0009_signed_until"),
    ]

    operations = [
        migrations.AlterField(
            model_name="customer",
            name="algorithm",
            field=models.CharField(choices=ALGORITHMS, default="HS256", max_length=8),
        ),
        migrations.AlterField(
            model_name="signingsecret",
            name="algorithm",
            field=models.CharField(choices=ALGORITHMS, max_length=8),
        ),
    ]
