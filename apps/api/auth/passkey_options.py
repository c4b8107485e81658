"""The options that browsers take to make and to use a passkey (WebAuthn level 3, section 5.1), for the schema.

WebAuthn names their members; bytes are base64url without padding, as in its JSON forms.
"""

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

BASE64URL = "base64url"

_credentials = inline_serializer(
    "PasskeyDescriptor",
    {
        "id": serializers.CharField(help_text=BASE64URL),
        "type": serializers.CharField(help_text="`public-key`"),
        "transports": serializers.ListField(child=serializers.CharField(), required=False),
    },
    many=True,
)

REQUEST_OPTIONS = inline_serializer(
    "PasskeyRequestOptions",
    {
        "challenge": serializers.CharField(help_text=f"{BASE64URL}; good once, until the timeout"),
        "timeout": serializers.IntegerField(help_text="milliseconds"),
        "rpId": serializers.CharField(help_text="the customer's passkey domain"),
        "allowCredentials": _credentials,
        "userVerification": serializers.CharField(help_text="`required`"),
    },
)

CREATION_OPTIONS = inline_serializer(
    "PasskeyCreationOptions",
    {
        "rp": inline_serializer(
            "PasskeyRelyingParty",
            {"id": serializers.CharField(help_text="the customer's passkey domain"), "name": serializers.CharField()},
        ),
        "user": inline_serializer(
            "PasskeyUser",
            {
                "id": serializers.CharField(help_text=BASE64URL),
                "name": serializers.CharField(help_text="the user's email"),
                "displayName": serializers.CharField(),
            },
        ),
        "challenge": serializers.CharField(help_text=f"{BASE64URL}; good once, until the timeout"),
        "pubKeyCredParams": inline_serializer(
            "PasskeyAlgorithm",
            {
                "type": serializers.CharField(help_text="`public-key`"),
                "alg": serializers.IntegerField(help_text="of COSE's registry (RFC 9053)"),
            },
            many=True,
        ),
        "timeout": serializers.IntegerField(help_text="milliseconds"),
        "excludeCredentials": _credentials,
        "authenticatorSelection": inline_serializer(
            "PasskeyAuthenticatorSelection",
            {
                "residentKey": serializers.CharField(help_text="`required`"),
                "requireResidentKey": serializers.BooleanField(),
                "userVerification": serializers.CharField(help_text="`required`"),
            },
        ),
        "attestation": serializers.CharField(help_text="`none`"),
    },
)
