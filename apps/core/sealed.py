"""Secrets at rest (contract 2.4): a model field whose value decrypts only in its own table, column and row.

Stored as `<master key id>.<base64url(nonce + ciphertext)>`. `rotate_master_key` finds every such field by its type.
"""

from typing import Any, cast

from django.conf import settings
from django.db import models

from apps.core import base64url, ciphers
from apps.core.base64url import NotBase64url

SCHEME = "gatehouse/sealed/v1"


class SealedField(models.TextField):
    """Holds a sealed secret. Read and write it by `sealed.read` and `sealed.write`, never directly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)


def write(row: models.Model, field: str, secret: bytes) -> None:
    """Seal `secret` into `row.<field>` under the current master key. The row's primary key must be set already."""
    key_id, key = next(iter(settings.MASTER_KEYS.items()))
    sealed = ciphers.encrypt(secret, key=key, associated_data=_place(row, field))
    setattr(row, field, f"{key_id}.{base64url.encode(sealed)}")


def read(row: models.Model, field: str) -> bytes:
    """The secret sealed in `row.<field>`. Raises DecryptionFailed if it was moved or altered, or its key is gone."""
    key_id, _, encoded = str(getattr(row, field)).partition(".")
    try:
        key, sealed = settings.MASTER_KEYS[key_id], base64url.decode(encoded)
    except (KeyError, NotBase64url) as error:
        raise ciphers.DecryptionFailed from error
    return ciphers.decrypt(sealed, key=key, associated_data=_place(row, field))


def _place(row: models.Model, field: str) -> bytes:
    column = cast("models.Field[Any, Any]", row._meta.get_field(field)).column
    return "\0".join((SCHEME, row._meta.db_table, str(column), str(row.pk))).encode()
