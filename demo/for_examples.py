"""What `docs/examples/` stand on: the demo's customer as their apps need it, and the facts that they read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from apps.core.context import RequestContext
from apps.core.ids import parse_id
from apps.customers import lifecycle as customers
from apps.customers.models import Customer
from apps.customers.policy import Algorithm
from apps.oauth import client_secrets, clients
from apps.oauth.models import RegisteredClient
from apps.tokens import signing
from apps.users import permission_names, roles
from apps.users.models import BuiltInRole, Permission, Role

# The examples whose pages call Gatehouse, at the ports that their READMEs name.
PAGES = {"browser": 5501, "sveltekit": 5505}
# The fingerprint in docs/examples/native/assetlinks.json, as passkeys name it.
ANDROID_APP = "android:apk-key-hash:ldX2gpQa60SBx-Pnmgkt2V1aPLJWw93YpyLWwq5zwmM"
PERMISSIONS = ("notes.read", "notes.write")  # of everybody who signs in to the demo's customer
HOSTS = ("http://localhost", "http://127.0.0.1")  # an address of this machine fits at any port


def prepare(customer: Customer, *, context: RequestContext) -> None:
    """Make the customer what the examples need. What a visitor has added before stays."""
    _change_policy(customer, context)
    _give_permissions(customer, context)


def facts(customer: Customer, *, known: Mapping[str, str], context: RequestContext) -> dict[str, str]:
    """What the examples read, beside what the demo itself needs. `known`: what the last run has written."""
    return {
        **_public_client(customer, known, context),
        **_client_with_secret(customer, known, context),
        "slug": customer.slug,
        "issuer": signing.issuer_of(customer.slug),
        "sign_in_url": f"{settings.PUBLIC_URL}/sign-in/{customer.slug}",
        "account_url": f"{settings.PUBLIC_URL}/account/{customer.slug}",
    }


def _change_policy(customer: Customer, context: RequestContext) -> None:
    """A key pair, so that others can verify the tokens; and the apps' origins."""
    pages = [f"http://localhost:{port}" for port in PAGES.values()]
    wanted: dict[str, Any] = {
        "algorithm": Algorithm.ES256,
        "allowed_origins": list(dict.fromkeys([*customer.allowed_origins, *pages, ANDROID_APP])),
    }
    changes = {name: value for name, value in wanted.items() if getattr(customer, name) != value}
    if changes:
        customers.update_policy(customer=customer, changes=changes, context=context)


def _give_permissions(customer: Customer, context: RequestContext) -> None:
    known = set(Permission.objects.of(customer.id).values_list("name", flat=True))
    for name in PERMISSIONS:
        if name not in known:
            permission_names.create(customer_id=customer.id, name=name, context=context)
    if not Role.objects.of(customer.id).filter(name=BuiltInRole.COMPANY_USER).exists():
        roles.create(customer_id=customer.id, name=BuiltInRole.COMPANY_USER, permissions=PERMISSIONS, context=context)


def _public_client(customer: Customer, known: Mapping[str, str], context: RequestContext) -> dict[str, str]:
    """An app that can keep no secret: in a browser, on a phone, on a desk."""
    name = "oauth_public_client_id"
    if _is_client(customer, known.get(name), secret=None, now=context.now):
        return {name: known[name]}
    client = _client(customer, "Demo: an app without a secret")
    clients.register(client, is_confidential=False, context=context)
    return {name: client.client_id}


def _client_with_secret(customer: Customer, known: Mapping[str, str], context: RequestContext) -> dict[str, str]:
    """An app on a server. The secret is shown only when it is made: with the file, the client is made anew."""
    name, its_secret = "oauth_client_id", "oauth_client_secret"
    if _is_client(customer, known.get(name), secret=known.get(its_secret), now=context.now):
        return {name: known[name], its_secret: known[its_secret]}
    client = _client(customer, "Demo: an app with a secret")
    secret = clients.register(client, is_confidential=True, context=context)
    return {name: client.client_id, its_secret: secret}


def _is_client(customer: Customer, client_id: str | None, *, secret: str | None, now: datetime) -> bool:
    """Whether the client of the last run is still there, and the secret still its own."""
    client = RegisteredClient.objects.of(customer.id).filter(id=parse_id(client_id), disabled_at=None).first()
    if client is None or client.is_confidential != (secret is not None):
        return False
    return secret is None or client_secrets.is_one_of(secret, client.secret_digests(now))


def _client(customer: Customer, name: str) -> RegisteredClient:
    return RegisteredClient(
        customer=customer,
        name=name,
        redirect_uris=[f"{host}/callback" for host in HOSTS],
        post_logout_redirect_uris=[f"{host}/" for host in HOSTS],
    )
