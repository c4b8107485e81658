"""What a page holds so that a script can ask the browser for a passkey."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.core.errors import TemporarilyUnavailable
from apps.customers.state import CustomerState
from apps.factors.errors import InvalidPasskey
from apps.signin import by_passkey

LONGEST_CREDENTIAL = 32 * 1024


def of_anybody(customer: CustomerState, *, now: datetime) -> str:
    """As JSON. Empty while that is not possible: the page offers its other ways all the same."""
    try:
        return as_json(by_passkey.options(customer, now=now))
    except TemporarilyUnavailable:
        return ""


def as_json(options: Mapping[str, Any]) -> str:
    return json.dumps(options)


def credential_in(text: str) -> dict[str, Any]:
    """What a script has put into the form. Raises InvalidPasskey."""
    try:
        credential = json.loads(text) if len(text) <= LONGEST_CREDENTIAL else None
    except (ValueError, RecursionError) as error:
        raise InvalidPasskey from error
    if not isinstance(credential, dict) or not isinstance(credential.get("response"), dict):
        raise InvalidPasskey
    return credential
