"""What a change of credentials voids (contract 4): every link, code, challenge and waiting sign-in issued before it.

Everything that leads into an account keeps the version of the user's credentials that it was issued under, and is worthless
once the user has another. So one statement voids all of it, in the transaction that changes the credentials: also a code that
only Valkey knows, and also after Valkey came back with an old copy.
"""

from datetime import datetime

from django.db import connection

from apps.mail import outbox
from apps.users.models import User

# Counted by the database: a user object read before the last change must not bring an old version back.
CHANGE = """
UPDATE users_user
SET credentials_version = credentials_version + 1,
    credentials_changed_at = GREATEST(credentials_changed_at, %(now)s)
WHERE id = %(id)s
RETURNING credentials_version, credentials_changed_at
"""


def change(user: User, *, now: datetime) -> None:
    """Void everything issued to the user so far. In the caller's transaction, which has locked the user.

    Mails with a code or link of an earlier version that have not been sent yet never will be.
    """
    with connection.cursor() as cursor:
        cursor.execute(CHANGE, {"id": user.id, "now": now})
        changed = cursor.fetchone()
    if changed is None:  # erased, and all of this with the user
        return
    user.credentials_version, user.credentials_changed_at = changed
    outbox.withdraw(user_id=user.id, before=user.credentials_version)
