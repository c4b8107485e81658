"""The limits of contract 6: their stable names, their defaults, and where each is counted."""

from collections.abc import Mapping
from uuid import UUID

from apps.core import valkey
from apps.core.rate_limits import Limit, Rule

CODES_PER_EMAIL = "codes_per_email"
CODES_PER_IP = "codes_per_ip"
CODES_PER_CUSTOMER = "codes_per_customer"
TRIES_PER_EMAIL_AND_IP = "tries_per_email_and_ip"
TRIES_PER_IP = "tries_per_ip"
TRIES_PER_EMAIL = "tries_per_email"
WRONG_CODES_IN_A_ROW = "wrong_codes_in_a_row"
WRONG_CODES_PER_CUSTOMER = "wrong_codes_per_customer"
REFRESHES_PER_SESSION = "refreshes_per_session"
SECOND_FACTORS_PER_USER = "second_factors_per_user"
SMS_PER_NUMBER = "sms_per_number"
SMS_PER_USER = "sms_per_user"
SIGNUPS_PER_IP = "signups_per_ip"
FILES_PER_USER = "files_per_user"

MINUTE, DAY = 60, 86_400
EVER = 0  # no window: counted in PostgreSQL, until somebody clears it or what is counted is gone

DEFAULTS: Mapping[str, Limit] = {
    limit.name: limit
    for limit in (
        Limit(CODES_PER_EMAIL, 5, 15 * MINUTE),
        Limit(CODES_PER_IP, 20, 15 * MINUTE),
        Limit(CODES_PER_CUSTOMER, 600, MINUTE),
        Limit(TRIES_PER_EMAIL_AND_IP, 5, 15 * MINUTE),
        Limit(TRIES_PER_IP, 20, 15 * MINUTE),
        Limit(TRIES_PER_EMAIL, 50, DAY),
        Limit(WRONG_CODES_IN_A_ROW, 100, EVER),
        Limit(WRONG_CODES_PER_CUSTOMER, 1000, 10 * MINUTE),
        Limit(REFRESHES_PER_SESSION, 60, MINUTE),
        Limit(SECOND_FACTORS_PER_USER, 10, 15 * MINUTE),
        Limit(SMS_PER_NUMBER, 5, 15 * MINUTE),
        Limit(SMS_PER_USER, 5, 15 * MINUTE),
        Limit(SIGNUPS_PER_IP, 5, 60 * MINUTE),
        Limit(FILES_PER_USER, 1000, EVER),
    )
}

EVERY_CUSTOMER = "every-customer"  # the tag of what is counted across customers


def rule(limit: Limit, tag: UUID | str, *scope: str) -> Rule:
    """The limit, counted for this scope (an address, an email, …) of this customer."""
    return Rule(limit, valkey.key(tag, "limit", limit.name, *scope))
