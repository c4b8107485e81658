"""Operators' second factors move out of django-otp's tables, where they lay in clear: seeds are sealed, recovery codes hashed.

The old tables stay, empty. Going back writes the seeds there again; recovery codes cannot be read back, and are lost.
"""

import secrets
from collections.abc import Iterator
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from apps.core import ciphers, sealed
from apps.factors import recovery_codes

APPS, DEVICES, CODES = "otp_totp_totpdevice", "otp_static_staticdevice", "otp_static_statictoken"
DIGEST_KEY_BYTES = 32


def move(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    tables = _tables(editor)
    if APPS in tables:
        for user_id, name, confirmed, seed, last_step in _rows(editor, f"user_id, name, confirmed, key, last_t FROM {APPS}"):
            facts = {"user_id": user_id, "name": name, "confirmed": confirmed, "last_step": max(0, last_step)}
            _sealed(apps.get_model("operators", "AuthenticatorApp"), "seed", bytes.fromhex(seed), facts)
        editor.execute(f"DELETE FROM {APPS}")
    if DEVICES in tables:
        for device_id, user_id, name, confirmed in _rows(editor, f"id, user_id, name, confirmed FROM {DEVICES}"):
            _move_codes(apps, editor, device_id, {"user_id": user_id, "name": name, "confirmed": confirmed})
        editor.execute(f"DELETE FROM {CODES}")
        editor.execute(f"DELETE FROM {DEVICES}")


def move_back(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    if APPS not in _tables(editor):
        return
    for row in apps.get_model("operators", "AuthenticatorApp").objects.all():
        editor.execute(
            f"INSERT INTO {APPS} (user_id, name, confirmed, key, last_t, step, t0, digits, tolerance, drift,"
            " throttling_failure_count) VALUES (%s, %s, %s, %s, %s, 30, 0, 6, 1, 0, 0)",
            [row.user_id, row.name, row.confirmed, sealed.read(row, "seed").hex(), row.last_step],
        )


def _move_codes(apps: StateApps, editor: BaseDatabaseSchemaEditor, device_id: int, facts: dict[str, Any]) -> None:
    key = secrets.token_bytes(DIGEST_KEY_BYTES)
    device = _sealed(apps.get_model("operators", "RecoveryCodeDevice"), "digest_key", key, facts)
    codes = apps.get_model("operators", "OperatorRecoveryCode").objects
    for (code,) in _rows(editor, f"token FROM {CODES} WHERE device_id = {device_id:d}"):
        codes.get_or_create(device=device, digest=ciphers.mac(recovery_codes.plain(code).encode(), key=key))


def _sealed(model: Any, field: str, secret: bytes, facts: dict[str, Any]) -> Any:
    """A row, and the secret sealed to it: which needs the id that the row gets."""
    row = model.objects.create(**facts)
    sealed.write(row, field, secret)
    row.save(update_fields=[field])
    return row


def _tables(editor: BaseDatabaseSchemaEditor) -> set[str]:
    return set(editor.connection.introspection.table_names())


def _rows(editor: BaseDatabaseSchemaEditor, query: str) -> Iterator[tuple[Any, ...]]:
    with editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT {query}")
        yield from cursor.fetchall()


class Migration(migrations.Migration):
    dependencies = [("operators", "0001_second_factors_and_attempts")]

    operations = [migrations.RunPython(move, move_back)]
