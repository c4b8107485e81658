"""What the token endpoint gives a client: the tokens of its session and, if it asked for `openid`, an id token."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apps.customers import keyring
from apps.customers.state import CustomerState
from apps.oauth import scopes, user_claims
from apps.tokens import id_tokens, minting, signing
from apps.tokens.minting import TokenPair
from apps.tokens.models import Session
from apps.tokens.proof import Proof, ordered
from apps.users.state import UserState

ID_TOKEN_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True)
class ClientTokens:
    """The answer of the token endpoint. `id_token` is empty unless `openid` is among the scopes."""

    user: UserState
    pair: TokenPair
    scopes: tuple[str, ...]
    is_new: bool  # the user was made at the sign-in that led here
    id_token: str = field(repr=False)


@dataclass(frozen=True)
class Grant:
    """What a user has granted to a client, as far as it still counts. `nonce` and `is_new`: at the exchange of the code alone."""

    client_id: str
    customer: CustomerState
    user: UserState
    scopes: tuple[str, ...]
    proof: Proof
    nonce: str = ""
    is_new: bool = False


def proof_of(session: Session) -> Proof:
    """When and how the session's user has last proven who it is."""
    proven_at = session.auth_time or session.created_at
    return Proof(int(proven_at.timestamp()), ordered(session.amr.split()))


def give(grant: Grant, pair: TokenPair, now: datetime) -> ClientTokens:
    id_token = _id_token(grant, pair, now) if scopes.OPENID in grant.scopes else ""
    return ClientTokens(grant.user, pair, grant.scopes, grant.is_new, id_token)


def _id_token(grant: Grant, pair: TokenPair, now: datetime) -> str:
    """OpenID Connect Core section 2; `sid`: the session that the tokens belong to."""
    customer, issued = grant.customer, int(now.timestamp())
    keys = minting.signing_keys(customer, keyring.current_kid(customer))
    claims = {
        "iss": signing.issuer_of(customer.slug),
        "aud": grant.client_id,
        "azp": grant.client_id,
        "iat": issued,
        "exp": issued + int(ID_TOKEN_LIFETIME.total_seconds()),
        "auth_time": grant.proof.auth_time,
        "amr": list(grant.proof.amr),
        "sid": str(pair.session_id),
        "at_hash": id_tokens.half_hash(pair.access, keys.algorithm),
        **({"nonce": grant.nonce} if grant.nonce else {}),
        **user_claims.of(grant.user, grant.scopes),
    }
    return id_tokens.mint(claims, keys=keys)
