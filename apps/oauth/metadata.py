"""What is published about a customer as an authorization server (OpenID Connect Discovery 1.0, RFC 8414)."""

from datetime import datetime
from typing import Any

from django.conf import settings

from apps.customers.state import CustomerState
from apps.oauth import scopes, user_claims
from apps.oauth.authorization_parameters import CHALLENGE_METHOD, CREATE, PROMPTS, RESPONSE_MODE, RESPONSE_TYPE
from apps.tokens import discovery, signing
from apps.tokens.algorithms import SHARED_SECRETS

CLIENT_AUTHENTICATION = ["client_secret_basic", "client_secret_post", "none"]
ID_TOKEN_CLAIMS = ["iss", "aud", "azp", "exp", "iat", "auth_time", "nonce", "amr", "sid", "at_hash"]


def configuration(customer: CustomerState, now: datetime) -> dict[str, Any]:
    """The metadata document. Algorithms are those of the versions that still verify: after a change, for a while, two."""
    issuer, api = signing.issuer_of(customer.slug), f"{settings.PUBLIC_URL}/api"
    algorithms = discovery.algorithms(customer, now)
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{settings.PUBLIC_URL}/sign-in/{customer.slug}",
        "token_endpoint": f"{api}/oauth/token",
        "userinfo_endpoint": f"{api}/oauth/userinfo",
        "end_session_endpoint": f"{api}/oauth/logout",
        "revocation_endpoint": f"{api}/oauth/revoke",
        "introspection_endpoint": f"{api}/auth/introspect",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "scopes_supported": list(scopes.supported(customer)),
        "response_types_supported": [RESPONSE_TYPE],
        "response_modes_supported": [RESPONSE_MODE],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": [CHALLENGE_METHOD],
        "token_endpoint_auth_methods_supported": CLIENT_AUTHENTICATION,
        "revocation_endpoint_auth_methods_supported": CLIENT_AUTHENTICATION,
        "introspection_endpoint_auth_methods_supported": ["Bearer"],  # an API key
        "authorization_response_iss_parameter_supported": True,
        "prompt_values_supported": [prompt for prompt in PROMPTS if prompt != CREATE or customer.allows_registration],
        "ui_locales_supported": [code for code, _name in settings.LANGUAGES],
        "subject_types_supported": ["public"],
        **_of_id_tokens(customer, algorithms),
        "access_token_signing_alg_values_supported": algorithms,
        "claim_types_supported": ["normal"],
        "claims_supported": [*user_claims.ALL, *ID_TOKEN_CLAIMS],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


def _of_id_tokens(customer: CustomerState, algorithms: list[str]) -> dict[str, Any]:
    """Nothing if there are none: they are never signed with a shared secret."""
    if customer.algorithm in SHARED_SECRETS:
        return {}
    return {"id_token_signing_alg_values_supported": [name for name in algorithms if name not in SHARED_SECRETS]}
