"""docs/vectors: the service does what implementers in other languages test against."""

import hmac
import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import http_ece
import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from joserfc.jwk import ECKey, OctKey
from pytest_django import Settings

from apps.core import ciphers, sealed
from apps.customers.models import DEFAULT_CUSTOMER_ID
from apps.payloads import file_stream, jwe, service_envelope, service_keys, token_envelope
from apps.payloads.models import ServiceKeyPair
from apps.payloads.token_envelope import TokenEnvelope

FOLDER = django_settings.BASE_DIR / "docs" / "vectors"


def vector(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def fields_of(plaintext: str) -> dict[str, Any]:
    return {name: value for name, value in json.loads(plaintext).items() if name not in ("iat", "jti", "htu")}


def opened(case: dict[str, Any], place: dict[str, Any]) -> dict[str, Any]:
    now = datetime.fromtimestamp(place["opened_at"], UTC)
    assert case["body"] == {"encrypted": True, "data": case["jwe"]}
    return service_envelope.open_request(
        case["jwe"], path=place["path"], customer_id=DEFAULT_CUSTOMER_ID, now=now
    ).fields


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["service_encryption_key_hex", "service_encryption_key_base64url"])
def test_service_dir(settings: Settings, form: str) -> None:
    """C2.1.1, C2.1.2: alg dir, the forms of the key, its thumbprint."""
    case = vector("service-dir")
    settings.SERVICE_ENCRYPTION_KEY = case[form]
    assert service_keys.shared()[0].kid == case["kid"] == OctKey.import_key(case["jwk"]).thumbprint()
    assert jwe.parse(case["jwe"]).header == case["header"]
    assert opened(case, case) == fields_of(case["plaintext"]) == {"email": "ada@example.com"}


@pytest.mark.django_db(transaction=True)
def test_service_ecdh_es() -> None:
    """C2.1.1: alg ECDH-ES, every step, with and without apu and apv."""
    case = vector("service-ecdh-es")
    publish(case["private_jwk"])
    assert service_keys.pairs()[0].public_jwk == case["published_jwk"]
    for message in case["messages"]:
        other_info = bytes.fromhex(message["other_info_hex"])
        derived = sha256(b"\0\0\0\1" + decode(message["shared_secret_z"]) + other_info).digest()
        assert derived == decode(message["content_key"])
        assert jwe.parse(message["jwe"]).header == message["header"]
        assert opened(message, case) == fields_of(message["plaintext"])


def publish(private_jwk: dict[str, str]) -> None:
    key = ECKey.import_key(private_jwk)
    row = ServiceKeyPair(kid=key.thumbprint(), public_jwk=key.as_dict(private=False), created_at=timezone.now())
    sealed.write(row, "private_jwk", json.dumps(private_jwk).encode())
    row.save()


def test_token_envelope() -> None:
    """C2.2.2: PRK, info, keys, both directions."""
    case = vector("token-envelope")
    prk = token_envelope.derive(case["jwt"])
    assert prk == decode(case["prk"]) == hmac.digest(case["salt"].encode(), case["jwt"].encode(), "sha256")
    assert json.loads(decode(case["jwt"].split(".")[1]))["jti"] == case["jti"]
    ours = TokenEnvelope(kid=case["jti"], prk=prk)
    for message in case["requests"]:
        assert message["info"] == f"request {message['method']} {message['path']}"
        found = ours.open_request(message["jwe"], method=message["method"], path=message["path"])
        assert found == json.loads(message["plaintext"])
    for message in case["responses"]:
        assert message["info"] == f"response {message['method']} {message['path']} {message['status']}"
        key = ciphers.hkdf_expand(prk, info=message["info"].encode())
        assert key == decode(message["key"])
        assert jwe.open_direct(jwe.parse(message["jwe"]), key=key) == message["plaintext"].encode()


def test_file_stream() -> None:
    """C2.3.1: keying material, content key, nonce, and the streams themselves."""
    case = vector("file-stream")
    assert case["prk"] == vector("token-envelope")["prk"]
    short, long = case["streams"]
    for stream in (short, long):
        material = file_stream.keying_material(decode(case["prk"]), method=stream["method"], path=stream["path"])
        assert material == decode(stream["keying_material"])
        keys = file_stream._Keys.derive(material, decode(stream["salt"]))
        assert keys.key == decode(stream["content_encryption_key"])
        assert keys.nonce_of(0) == decode(stream["nonce"])
    assert decrypted(decode(short["stream"]), short, case) == decode(short["content"]) == b"I am the walrus"
    content = bytes(index % 251 for index in range(long["content_length"]))
    assert sha256(content).hexdigest() == long["content_sha256"]
    whole = http_ece.encrypt(
        content, salt=decode(long["salt"]), key=decode(long["keying_material"]), keyid=case["keyid"], rs=65536
    )
    assert (len(whole), sha256(whole).hexdigest()) == (long["stream_length"], long["stream_sha256"])
    assert decrypted(whole, long, case) == content


def decrypted(stream: bytes, facts: dict[str, Any], case: dict[str, Any]) -> bytes:
    material = decode(facts["keying_material"])
    return b"".join(file_stream.decrypt([stream], material=material, key_id=case["keyid"]))
