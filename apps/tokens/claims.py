"""The claims of contract 3.1 with their JSON types, as the RFCs give them: any other type makes the token invalid.

Checked before anything reads them: a lenient reader would take the text in `"exp": "1893456000"` for a number.
"""

from collections.abc import Callable, Mapping
from typing import Any

LATEST = 253_402_300_799  # the last second of the year 9999; there are no dates after it

Check = Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_date(value: Any) -> bool:
    """A NumericDate (RFC 7519 section 2): a number, perhaps with a fraction. To JSON, `true` is no number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= LATEST


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


OF_ANY: Mapping[str, Check] = {
    # `aud` may be a list (RFC 7519 section 4.1.3), but we issue tokens for one audience, and accept no others.
    **dict.fromkeys(("iss", "aud", "sub", "customer_id", "sid", "jti"), _is_text),
    **dict.fromkeys(("iat", "nbf", "exp"), _is_date),
    "token_type": _is_text,
}
OF_A_SESSION: Mapping[str, Check] = {**OF_ANY, "auth_time": _is_date, "amr": _are_texts}
OF_ACCESS: Mapping[str, Check] = {**OF_A_SESSION, "email": _is_text, "role": _is_text, "permissions": _are_texts}


def are_well_typed(claims: Mapping[str, Any], checks: Mapping[str, Check]) -> bool:
    """Whether all of these claims are present, each with its type."""
    return all(name in claims and check(claims[name]) for name, check in checks.items())
