"""Addresses beyond ASCII are compared in another way from now on: `ß` is not `ss`, and domains are A-labels by IDNA 2008."""

from typing import Any

from django.db import IntegrityError, migrations, transaction

from apps.core.domains import NotADomain
from apps.users import emails

ASCII = r"^[\x01-\x7f]*$"


def compare_anew(apps: Any, schema_editor: Any) -> None:
    """A row whose address is none any more, or is another row's, stays as it is: nobody enters by it."""
    users = apps.get_model("users", "User").objects.exclude(email__regex=ASCII).only("id", "email")
    for user in users.iterator(chunk_size=1000):
        try:
            with transaction.atomic():
                users.filter(id=user.id).update(email_identity=emails.identity(user.email))
        except (NotADomain, IntegrityError):
            continue


class Migration(migrations.Migration):
    dependencies = [("users", "0004_locale_is_a_language_tag")]

    operations = [migrations.RunPython(compare_anew, migrations.RunPython.noop, elidable=True)]
