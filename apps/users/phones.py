"""Phone numbers: how they are checked and stored (E.164)."""

import phonenumbers
from django.utils.translation import gettext as _

from apps.core.errors import ValidationFailed


def parse(text: str) -> str:
    """The number in `text` as E.164: "+4915112345678". It must begin with its country code. Raises ValidationFailed."""
    refused = ValidationFailed(fields={"phone": [_("Enter a phone number with its country code, such as +49 …")]})
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException as error:
        raise refused from error
    if not phonenumbers.is_valid_number(number) or number.extension:
        raise refused
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
