"""Password, known and remembered devices, known countries, and sign-ins that waited for a second factor. No hash is in it."""

from typing import Any

from apps.core.times import rfc3339_or_none
from apps.signin.models import Challenge, KnownCountry, KnownDevice, Password, RememberedDevice


def password(row: Password) -> dict[str, Any]:
    return {
        "set_at": rfc3339_or_none(row.set_at),
        "set_by_mail": row.set_by_mail,
        "wrong_in_a_row": row.wrong_in_a_row,
        "locked_until": rfc3339_or_none(row.locked_until),
    }


def known_device(row: KnownDevice) -> dict[str, Any]:
    return {"name": row.name, "first_seen_at": rfc3339_or_none(row.first_seen_at)}


def known_country(row: KnownCountry) -> dict[str, Any]:
    return {"country": row.country, "first_seen_at": rfc3339_or_none(row.first_seen_at)}


def remembered_device(row: RememberedDevice) -> dict[str, Any]:
    return {
        "name": row.name,
        "second_factors": row.passed,
        "created_at": rfc3339_or_none(row.created_at),
        "last_used_at": rfc3339_or_none(row.last_used_at),
        "expires_at": rfc3339_or_none(row.expires_at),
    }


def challenge(row: Challenge) -> dict[str, Any]:
    return {
        "first_factor": row.first_factor,
        "passed": row.passed,
        "created_at": rfc3339_or_none(row.created_at),
        "expires_at": rfc3339_or_none(row.expires_at),
        "used_at": rfc3339_or_none(row.used_at),
    }
