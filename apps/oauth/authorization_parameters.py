"""The parameters of an authorization request, read one by one (OpenID Connect Core section 3.1.2.1). None may be there twice."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from apps.customers.state import CustomerState
from apps.oauth import scopes
from apps.oauth.models import RegisteredClient

Parameters = Mapping[str, Sequence[str]]  # as the query has them: each name with all its values

LOGIN, NONE, CONSENT, SELECT_ACCOUNT, CREATE = "login", "none", "consent", "select_account", "create"
PROMPTS = (NONE, LOGIN, CONSENT, SELECT_ACCOUNT, CREATE)
RESPONSE_TYPE, RESPONSE_MODE, CHALLENGE_METHOD = "code", "query", "S256"
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # base64url of 32 bytes (RFC 7636 section 4.2)
SECONDS = re.compile(r"[0-9]{1,9}")
LONGEST_STATE, LONGEST_NONCE, LONGEST_HINT = 2048, 512, 320
NOT_SUPPORTED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}


class WrongParameter(Exception):
    """`error` as OAuth names it, `detail` for the app's developer."""

    def __init__(self, detail: str, error: str = "invalid_request") -> None:
        self.detail, self.error = detail, error
        super().__init__(detail)


@dataclass(frozen=True)
class Given:
    """What of a request is left once client and redirect address are known. A detail that is absent is None or empty."""

    scopes: tuple[str, ...]
    code_challenge: str
    nonce: str
    prompts: frozenset[str]
    max_age: int | None
    login_hint: str
    ui_locales: str
    id_token_hint: str = field(repr=False)


def one(parameters: Parameters, name: str) -> str | None:
    """The value of a parameter; None if it is absent or empty (RFC 6749 section 3.1). Raises WrongParameter if it is there twice."""
    values = parameters.get(name, ())
    if len(values) > 1:
        raise WrongParameter(f"{name} is there more than once")
    return values[0] or None if values else None


def state_of(parameters: Parameters) -> str | None:
    """`state`, to be given back as it is. None if it is there twice or too long: an error is then told without it."""
    values = parameters.get("state", ())
    return values[0] if len(values) == 1 and 0 < len(values[0]) <= LONGEST_STATE and _is_text(values[0]) else None


def read(parameters: Parameters, *, client: RegisteredClient, customer: CustomerState) -> Given:
    """Raises WrongParameter."""
    for name in parameters:
        one(parameters, name)
    _require_kind(parameters)
    return Given(
        scopes=_scopes(one(parameters, "scope"), client, customer),
        code_challenge=_code_challenge(parameters),
        nonce=_text(parameters, "nonce", LONGEST_NONCE),
        prompts=_prompts(one(parameters, "prompt")),
        max_age=_max_age(one(parameters, "max_age")),
        login_hint=_hint(parameters, "login_hint"),
        ui_locales=_hint(parameters, "ui_locales"),
        id_token_hint=one(parameters, "id_token_hint") or "",
    )


def _require_kind(parameters: Parameters) -> None:
    for name, error in NOT_SUPPORTED.items():
        if one(parameters, name):
            raise WrongParameter(f"{name} is not supported", error)
    asked = one(parameters, "response_type")
    if asked is None:
        raise WrongParameter("response_type is missing")
    if asked != RESPONSE_TYPE:
        raise WrongParameter("response_type must be code", "unsupported_response_type")
    if one(parameters, "response_mode") not in (None, RESPONSE_MODE):
        raise WrongParameter("response_mode must be query")
    _text(parameters, "state", LONGEST_STATE)


def _scopes(text: str | None, client: RegisteredClient, customer: CustomerState) -> tuple[str, ...]:
    asked = scopes.known((text or "").split())
    refused = set(asked) - set(client.scopes)
    if refused:
        raise WrongParameter(f"this client may not ask for {' '.join(sorted(refused))}", "invalid_scope")
    if set(asked) - set(scopes.supported(customer)):
        raise WrongParameter(
            "openid needs a customer whose algorithm has a key pair: ES256, EdDSA or RS256", "invalid_scope"
        )
    return asked


def _code_challenge(parameters: Parameters) -> str:
    """PKCE, from every client (OAuth 2.1 section 4.1.1); `plain` protects nothing."""
    challenge = one(parameters, "code_challenge") or ""
    if one(parameters, "code_challenge_method") != CHALLENGE_METHOD:
        raise WrongParameter("code_challenge_method must be S256")
    if not CHALLENGE.fullmatch(challenge):
        raise WrongParameter("code_challenge must be the base64url of a SHA-256")
    return challenge


def _prompts(text: str | None) -> frozenset[str]:
    asked = frozenset((text or "").split())
    if not asked <= set(PROMPTS):
        raise WrongParameter(f"prompt must be of {' '.join(PROMPTS)}")
    if NONE in asked and len(asked) > 1:
        raise WrongParameter("prompt=none must stand alone")
    return asked


def _max_age(text: str | None) -> int | None:
    if text is None:
        return None
    if not SECONDS.fullmatch(text):
        raise WrongParameter("max_age must be seconds")
    return int(text)


def _hint(parameters: Parameters, name: str) -> str:
    """Something that helps and is not needed: unless it is usable, it is ignored."""
    text = one(parameters, name) or ""
    return text if len(text) <= LONGEST_HINT and _is_text(text) else ""


def _text(parameters: Parameters, name: str, longest: int) -> str:
    text = one(parameters, name) or ""
    if len(text) > longest or not _is_text(text):
        raise WrongParameter(f"{name} must be at most {longest} characters of text")
    return text


def _is_text(text: str) -> bool:
    """Without control characters and halves of characters: what a redirect and the database can hold."""
    return all(letter >= " " and letter != "\x7f" and not "\ud800" <= letter <= "\udfff" for letter in text)
