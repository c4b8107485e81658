"""Node's `jose`, an independent implementation, is a client: both algorithms before sign-in, and the token's envelope both ways."""

import json
import os
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from apps.payloads import jwe, service_keys
from demo.client import Answer, Client, envelope
from tests import factories
from tests.conftest import MakeClient
from tests.payloads.test_vectors import vector

INTEROP = settings.BASE_DIR / "tests" / "interop"
PATH, ME = "/api/auth/request-otp", "/api/auth/me"
NODE_FOLDERS = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))


@pytest.fixture(scope="module")
def node() -> str:
    """Node with `jose` (make test installs both). Without them: skipped, and said so; but never where CI is set."""
    found = shutil.which("node", path=NODE_FOLDERS)
    if found and (INTEROP / "node_modules" / "jose").is_dir():
        return found
    reason = "INTEROPERABILITY NOT TESTED: no Node, or no `jose` (npm ci --prefix tests/interop)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def ask(node: str, *jobs: dict[str, Any]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [node, INTEROP / "jose.mjs"], input=json.dumps(jobs).encode(), capture_output=True, check=True, timeout=300
    )
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def results(node: str, *jobs: dict[str, Any]) -> list[Any]:
    answers = ask(node, *jobs)
    assert not [answer for answer in answers if "error" in answer]
    return [answer["result"] for answer in answers]


def post(client: Client, text: str) -> Answer:
    return client.call("POST", PATH, envelope(text))


@pytest.mark.django_db(transaction=True)
def test_node_encrypts_to_the_service(node: str, client_for: MakeClient) -> None:
    """C2.1.1, C2.1.2: alg dir and ECDH-ES, the kid by jose's own thumbprint, apu and apv honoured."""
    client = client_for(factories.customer())
    jwk = client.call("GET", "/.well-known/jwks.json").document["keys"][0]
    key = urlsafe_b64encode(service_keys.shared()[0].key).rstrip(b"=").decode()
    documents = [client.stamped({"email": f"node-{number}@example.com"}, PATH) for number in range(3)]
    texts = results(
        node,
        {"name": "sealWithSharedKey", "document": documents[0], "key": key},
        {"name": "sealToPublishedKey", "document": documents[1], "jwk": jwk},
        {"name": "sealToPublishedKey", "document": documents[2], "jwk": jwk, "apu": "Alice", "apv": "Gatehouse"},
    )
    kids = [jwe.parse(text).kid for text in texts]
    assert kids == [service_keys.shared()[0].kid, jwk["kid"], jwk["kid"]]
    assert [post(client, text).status for text in texts] == [200, 200, 200]
    assert [post(client, text).error_type for text in texts] == ["replayed_request"] * 3


@pytest.mark.django_db(transaction=True)
def test_node_speaks_under_a_token_both_ways(node: str, client_for: MakeClient) -> None:
    """C2.2.1, C2.2.2: Node seals the request and opens the answer; under another info it opens nothing."""
    token = factories.session(factories.user(factories.customer())).access
    job = {"name": "sealUnderToken", "document": {"name": "Zoë 🦉"}, "token": token}
    right, wrong = results(node, {**job, "info": f"request PATCH {ME}"}, {**job, "info": f"request POST {ME}"})
    client, headers = client_for(None), {"Authorization": f"Bearer {token}"}
    changed, refused = (
        json.loads(client.call("PATCH", ME, envelope(text), headers=headers).wire) for text in (right, wrong)
    )
    job = {"name": "openUnderToken", "token": token}
    first, second, third = ask(
        node,
        {**job, "jwe": changed["data"], "info": f"response PATCH {ME} 200"},
        {**job, "jwe": refused["data"], "info": f"response PATCH {ME} 400"},
        {**job, "jwe": changed["data"], "info": f"response GET {ME} 200"},
    )
    assert first["result"]["document"]["name"] == "Zoë 🦉"
    assert set(first["result"]["header"]) == {"alg", "enc", "kid"}
    assert second["result"]["document"]["error"]["type"] == "decryption_failed"
    assert third == {"error": "ERR_JWE_DECRYPTION_FAILED"}


def test_node_opens_every_published_vector(node: str) -> None:
    """C2.1.1, C2.2.2: docs/vectors hold for an implementation that is not ours."""
    shared, agreed, token = (vector(name) for name in ("service-dir", "service-ecdh-es", "token-envelope"))
    cases = [(shared["plaintext"], {"name": "openWithKey", "jwe": shared["jwe"], "jwk": shared["jwk"]})]
    for message in agreed["messages"]:
        job = {"name": "openWithKey", "jwe": message["jwe"], "jwk": agreed["private_jwk"]}
        cases.append((message["plaintext"], job))
    for message in token["requests"] + token["responses"]:
        job = {"name": "openUnderToken", "jwe": message["jwe"], "token": token["jwt"], "info": message["info"]}
        cases.append((message["plaintext"], job))
    found = results(node, *(job for _, job in cases))
    assert [item["document"] for item in found] == [json.loads(plaintext) for plaintext, _ in cases]
