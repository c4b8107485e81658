"""Bodies before sign-in, through the API: what is accepted, and that every refusal to decrypt is one answer."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from unittest.mock import ANY

import pytest
from django.utils import timezone
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey
from pytest_django import Settings

from apps.api.envelope import Envelope
from apps.api.parsers import EnvelopeParser
from apps.core import valkey
from apps.customers.models import Customer
from apps.mail.models import Message
from apps.payloads import service_envelope, service_keys
from apps.payloads.errors import EncryptionRequired, InvalidEnvelope, ReplayedRequest, StaleRequest
from demo.client import ALGORITHMS, Answer, Client, TokenKeys, envelope
from tests import factories
from tests.conftest import MakeClient
from tests.engines import OwnValkey
from tests.races import at_once, outcome

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/auth/request-otp"
FIELDS = {"email": "ada@example.com"}


@pytest.fixture
def customer() -> Customer:
    return factories.customer()


@pytest.fixture
def client(client_for: MakeClient, customer: Customer) -> Client:
    return client_for(customer)


def published(client: Client) -> dict[str, Any]:
    key: dict[str, Any] = client.call("GET", "/.well-known/jwks.json").document["keys"][0]
    return key


def post(client: Client, text: str, path: str = PATH) -> Answer:
    return client.call("POST", path, envelope(text))


def sealed(plaintext: bytes, key: OctKey | ECKey, **header: Any) -> str:
    algorithm = "dir" if isinstance(key, OctKey) else "ECDH-ES"
    protected = {"alg": algorithm, "enc": "A256GCM", "kid": key.thumbprint(), **header}
    protected = {name: value for name, value in protected.items() if value is not None}
    return jwe.encrypt_compact(protected, plaintext, key, algorithms=[*ALGORITHMS, "A128GCM", "DEF"])


def shared_key() -> OctKey:
    return OctKey.import_key(service_keys.shared()[0].key)


def stamped(client: Client, **changes: Any) -> bytes:
    document = {**client.stamped(FIELDS, PATH), **changes}
    return json.dumps({name: value for name, value in document.items() if value is not ...}).encode()


def error(answer: Answer) -> tuple[int, Any]:
    return answer.status, answer.error_type


REFUSED = (400, "decryption_failed")


# --- 2.1.1, 2.1.2: algorithms and keys ------------------------------------------------------------------------------


def test_a_server_encrypts_with_the_shared_key(client: Client) -> None:
    """C2.1.1: alg dir with SERVICE_ENCRYPTION_KEY."""
    assert client.before_sign_in(PATH, FIELDS).status == 200
    assert Message.objects.get().recipient == FIELDS["email"]


def test_a_browser_encrypts_to_the_published_key(client_for: MakeClient, customer: Customer) -> None:
    """C2.1.1: alg ECDH-ES on P-256 to the key in /.well-known/jwks.json; no secret in the client."""
    key = published(client_for(None))
    assert client_for(customer, public_jwk=key).before_sign_in(PATH, FIELDS).status == 200


@pytest.mark.parametrize("form", ["hex", "HEX", "base64url", "padded", "with a newline"])
def test_the_shared_key_is_given_as_hex_or_base64url(client: Client, settings: Settings, form: str) -> None:
    """C2.1.1: 32 bytes given as 64 hex digits or base64url."""
    raw = bytes(range(200, 232))
    encoded = OctKey.import_key(raw).as_dict()["k"]
    forms = {"hex": raw.hex(), "HEX": raw.hex().upper(), "base64url": encoded, "padded": f"{encoded}="}
    settings.SERVICE_ENCRYPTION_KEY = {**forms, "with a newline": f"{raw.hex()}\n"}[form]
    assert post(client, sealed(stamped(client), OctKey.import_key(raw))).status == 200


def test_without_kid_the_current_key_is_tried_then_the_previous(client: Client, settings: Settings) -> None:
    """C2.1.2: both for the shared key and for the pair; SERVICE_ENCRYPTION_KEY_PREVIOUS still decrypts."""
    old, old_pair = shared_key(), ECKey.import_key(published(client))
    settings.SERVICE_ENCRYPTION_KEY_PREVIOUS = settings.SERVICE_ENCRYPTION_KEY
    settings.SERVICE_ENCRYPTION_KEY = bytes(range(32)).hex()
    service_keys.rotate(overlap=timedelta(days=1), context=factories.context("system"))
    for key in (shared_key(), old, ECKey.import_key(published(client)), old_pair):
        for kid in (key.thumbprint(), None):
            assert (
                post(client, sealed(stamped(client, email=f"{time.monotonic_ns()}@x.example"), key, kid=kid)).status
                == 200
            )


def test_a_kid_names_the_one_key_that_is_tried(client: Client) -> None:
    """C2.1.2: a kid of no key, or of the other kind's, decrypts nothing, though the key would fit."""
    pair = ECKey.import_key(published(client))
    for key, kid in ((shared_key(), "unknown"), (shared_key(), pair.thumbprint()), (pair, shared_key().thumbprint())):
        assert error(post(client, sealed(stamped(client), key, kid=kid))) == REFUSED


def test_a_previous_key_that_is_gone_decrypts_no_more(client: Client, settings: Settings) -> None:
    old = shared_key()
    settings.SERVICE_ENCRYPTION_KEY = bytes(range(32)).hex()
    assert error(post(client, sealed(stamped(client), old))) == REFUSED
    assert error(post(client, sealed(stamped(client), old, kid=None))) == REFUSED


# --- 2.1.3: fresh, once, for this path ------------------------------------------------------------------------------


@pytest.mark.parametrize("age", [-30, 0, 119, 120])
def test_a_fresh_request_is_accepted(customer: Customer, age: int) -> None:
    """C2.1.3: up to 120 s old, up to 30 s ahead."""
    now = datetime.now(UTC).replace(microsecond=0)
    assert opened(customer, now, iat=int(now.timestamp()) - age) == FIELDS


@pytest.mark.parametrize("age", [-(10**400), -(10**9), -31, 121, 10**9, 10**400])
def test_a_stale_request_is_refused(customer: Customer, age: int) -> None:
    """C2.1.3: 400 stale_request; however large the number is."""
    now = datetime.now(UTC).replace(microsecond=0)
    with pytest.raises(StaleRequest):
        opened(customer, now, iat=int(now.timestamp()) - age)


def test_the_marks_of_requests_are_in_the_order_of_their_time(customer: Customer) -> None:
    """So their index grows at its end. Two of one second and of one `jti` at two customers still have two marks."""
    other, now = factories.customer(), datetime.now(UTC).replace(microsecond=0)

    def mark(whose: Customer, iat: int, jti: str) -> bytes:
        document = {**FIELDS, "iat": iat, "jti": jti, "htu": PATH}
        text = sealed(json.dumps(document).encode(), shared_key())
        return service_envelope.open_request(text, path=PATH, customer_id=whose.id, now=now).mark

    first, last = int(now.timestamp()) - 100, int(now.timestamp())
    marks = [mark(customer, iat, f"{iat:032x}") for iat in range(first, last, 10)]
    assert marks == sorted(marks)
    assert {len(each) for each in marks} == {32}
    assert len({mark(whose, last, jti) for whose in (customer, other) for jti in ("a" * 32, "b" * 32)}) == 4


def test_a_fraction_of_a_second_too_old_is_too_old(customer: Customer) -> None:
    now = datetime.now(UTC).replace(microsecond=500_000)
    with pytest.raises(StaleRequest):
        opened(customer, now, iat=int(now.timestamp()) - 120)


def opened(customer: Customer, now: datetime, **claims: Any) -> Mapping[str, Any]:
    document = {**FIELDS, "jti": "j" * 16, "htu": PATH, **claims}
    text = sealed(json.dumps(document).encode(), shared_key())
    return service_envelope.open_request(text, path=PATH, customer_id=customer.id, now=now).fields


def test_stale_requests_over_http(client: Client) -> None:
    """C2.1.3"""
    for iat in (int(time.time()) - 300, int(time.time()) + 300, 10**400):
        assert error(post(client, sealed(stamped(client, iat=iat), shared_key()))) == (400, "stale_request")


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": ...},
        {"jti": ...},
        {"htu": ...},
        {"iat": True},
        {"iat": "1767323045"},
        {"iat": 1767323045.5},
        {"iat": None},
        {"iat": []},
        {"jti": "j" * 15},
        {"jti": "j" * 65},
        {"jti": 10**20},
        {"jti": "j" * 16 + "\0"},
        {"jti": "j" * 16 + "\n"},
        {"jti": ["j" * 16]},
        {"htu": "/api/auth/verify-otp"},
        {"htu": PATH + "/"},
        {"htu": PATH + "?x=1"},
        {"htu": f"https://testserver{PATH}"},
        {"htu": PATH.upper()},
        {"htu": None},
        {"htu": 1},
    ],
)
def test_all_three_are_required_and_of_their_kind(client: Client, claims: dict[str, Any]) -> None:
    """C2.1.3: iat, jti of 16 to 64 characters, htu = the path; another path is decryption_failed."""
    assert error(post(client, sealed(stamped(client, **claims), shared_key()))) == REFUSED


@pytest.mark.parametrize("length", [16, 64])
def test_a_jti_of_16_to_64_characters_is_accepted(client: Client, length: int) -> None:
    """C2.1.3"""
    assert post(client, sealed(stamped(client, jti="j" * length), shared_key())).status == 200


def test_the_query_is_no_part_of_the_path(client: Client) -> None:
    """C2.1.3"""
    assert post(client, sealed(stamped(client), shared_key()), f"{PATH}?from=app").status == 200


def test_a_second_use_is_refused_per_customer(client: Client, client_for: MakeClient) -> None:
    """C2.1.3: 409 replayed_request; another customer's use is its own."""
    text = sealed(stamped(client), shared_key())
    assert post(client, text).status == 200
    assert error(post(client, text)) == (409, "replayed_request")
    again = sealed(stamped(client, jti=json.loads(stamped(client))["jti"]), shared_key())
    assert error(post(client, again)) != (409, "replayed_request")  # a jti of its own
    assert post(client_for(factories.customer()), text).status == 200
    assert post(client_for(None), text).status == 200


def test_the_jti_is_what_is_used_once_not_the_ciphertext(client: Client) -> None:
    """C2.1.3"""
    first, second = (sealed(stamped(client, jti="same-jti-as-before"), key) for key in (shared_key(), shared_key()))
    assert first != second
    assert post(client, first).status == 200
    assert error(post(client, second)) == (409, "replayed_request")


@pytest.mark.race
def test_of_many_at_once_one_is_the_first(customer: Customer) -> None:
    """C2.1.3: used once, under any concurrency."""
    now = timezone.now()
    text = sealed(json.dumps({"iat": int(now.timestamp()), "jti": "r" * 20, "htu": PATH}).encode(), shared_key())
    results = at_once(
        64,
        lambda _: outcome(
            lambda: service_envelope.open_request(text, path=PATH, customer_id=customer.id, now=now),
        ),
    )
    assert sorted(set(results)) == ["ReplayedRequest", "done"]
    assert results.count("done") == 1


def test_a_jti_is_remembered_for_longer_than_it_is_fresh(customer: Customer) -> None:
    """C2.1.3: a request from 30 s ahead is fresh for 150 s."""
    now = timezone.now().replace(microsecond=0)
    opened(customer, now, iat=int(now.timestamp()) + 29)
    (name,) = valkey.client().keys(f"gatehouse:{{{customer.id}}}:replay:*")
    assert valkey.client().ttl(name) > 150
    assert b"j" * 16 not in name
    with pytest.raises(ReplayedRequest):
        opened(customer, now + timedelta(seconds=149), iat=int(now.timestamp()) + 29)


def test_what_is_refused_uses_up_no_jti(client: Client) -> None:
    for changes in ({"htu": "/other"}, {"iat": 1}):
        assert post(client, sealed(stamped(client, jti="refused-at-first", **changes), shared_key())).status == 400
    assert post(client, sealed(stamped(client, jti="refused-at-first"), shared_key())).status == 200


def test_without_valkey_nothing_is_accepted_unchecked(client: Client, valkey_away: OwnValkey) -> None:
    """C2.1.3: single use cannot be promised then: 503, never a replay."""
    text = sealed(stamped(client), shared_key())
    valkey_away.kill()
    assert error(post(client, text)) == (503, "temporarily_unavailable")


def test_a_view_does_not_see_what_belongs_to_the_envelope(customer: Customer) -> None:
    """C2.1.3: iat, jti and htu are removed."""
    now = datetime.now(UTC)
    assert set(opened(customer, now, iat=int(now.timestamp()))) == set(FIELDS)


# --- 2.1.4: refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"email": "ada@example.com"}',
        b"{}",
        b"[]",
        b"not json",
        b"\xff\xfe",
        b'{"encrypted": false, "data": "x"}',
        b'{"encrypted": 1, "data": "x"}',
        b'{"encrypted": "true", "data": "x"}',
        b'{"data": "a.b.c.d.e"}',
        b'{"encrypted": true}',
        b'{"encrypted": true, "data": {}}',
        b'{"encrypted": true, "data": null}',
        b'{"encrypted": true, "encrypted": true, "data": "x"}',
        b"[" * 60_000,
    ],
)
def test_a_plain_body_is_refused(client: Client, body: bytes) -> None:
    """C2.1.4: 400 encryption_required."""
    answer = client.call("POST", PATH, body, headers={"Content-Type": "application/json"})
    assert error(answer) == (400, "encryption_required")


@pytest.mark.parametrize(("kind", "expected"), [(Envelope.SERVICE, None), (Envelope.TOKEN, {}), (Envelope.PLAIN, {})])
def test_a_promised_body_that_never_comes_is_no_way_around(kind: Envelope, expected: Any) -> None:
    """C2.1.4: whatever Content-Length says."""
    context = {"request": None, "view": SimpleNamespace(envelope=kind)}
    if expected is None:
        with pytest.raises(EncryptionRequired):
            EnvelopeParser().parse(BytesIO(b""), parser_context=context)
    else:
        assert EnvelopeParser().parse(BytesIO(b""), parser_context=context) == expected


def test_every_failure_to_decrypt_is_the_same_answer(client: Client, customer: Customer) -> None:
    """C2.1.4: 400 decryption_failed, always the same, whatever the reason."""
    key, pair = shared_key(), ECKey.import_key(published(client))
    fine = sealed(stamped(client), key)
    head, *_, tag = fine.split(".")
    token = factories.session(factories.user(customer)).access
    texts = {
        "no JWE": "text",
        "empty": "",
        "not ASCII": "é.é.é.é.é",
        "tampered": fine[:-2] + ("AA" if fine[-2:] != "AA" else "BB"),
        "cut": fine.rpartition(".")[0],
        "another header": fine.replace(head, head[:-1] + "A"),
        "unencrypted": f"{head}....{tag}",
        "a JWT": token,
        "wrong key": sealed(stamped(client), OctKey.generate_key(256), kid=None),
        "wrong key of a known kid": sealed(stamped(client), OctKey.generate_key(256), kid=key.thumbprint()),
        "wrong pair": sealed(stamped(client), ECKey.generate_key("P-256"), kid=None),
        "wrong curve": sealed(stamped(client), ECKey.generate_key("P-384"), kid=pair.thumbprint()),
        "unknown kid": sealed(stamped(client), key, kid="x"),
        "zip": sealed(stamped(client), key, zip="DEF"),
        "other enc": sealed(stamped(client), OctKey.import_key(key.raw_value[:16]), enc="A128GCM", kid=None),
        "wrong path": sealed(stamped(client, htu="/api/auth/verify-otp"), key),
        "no jti": sealed(stamped(client, jti=...), key),
        "no object": sealed(b"[]", key),
        "no JSON": sealed(b"\xff", key),
        "nothing": sealed(b"", key),
        "duplicates": sealed(b'{"a":1,"a":2}', key),
        "not finite": sealed(b'{"a":1e999}', key),
        "too deep": sealed(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, key),
    }
    answers = {why: post(client, text) for why, text in texts.items()}
    expected = {
        "error": {
            "code": 400,
            "type": "decryption_failed",
            "message": "The body could not be decrypted.",
            "timestamp": ANY,
            "request_id": ANY,
        }
    }
    assert {why: (answer.status, answer.document) for why, answer in answers.items()} == dict.fromkeys(
        texts, (400, expected)
    )
    headers = [{k: v for k, v in answer.headers.items() if k != "x-request-id"} for answer in answers.values()]
    assert all(each == headers[0] for each in headers)
    assert not Message.objects.exists()


def test_a_body_is_at_most_64_kib(client: Client) -> None:
    """C2.1.4: 413 payload_too_large; one byte less is read."""

    def of(length: int) -> bytes:
        empty = len(envelope(""))
        return envelope("x" * (length - empty))

    assert error(client.call("POST", PATH, of(65_536))) == REFUSED
    for length in (65_537, 200_000, 1_000_000):
        assert error(client.call("POST", PATH, of(length))) == (413, "payload_too_large")


def test_another_content_type_is_refused(client: Client) -> None:
    body = client.seal_to_service(client.stamped(FIELDS, PATH))
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = client.call("POST", PATH, envelope(body), headers={"Content-Type": kind})
        assert error(answer) == (415, "unsupported_media_type")


def test_characters_that_no_field_holds_are_bad_input_not_an_error_of_ours(client: Client) -> None:
    for email in ("a\0@example.com", "\0", "\ud83d\ude00@example.com", "a" * 5000):
        for path in (PATH, "/api/auth/verify-otp"):
            document = client.stamped({"email": email, "otp": "\0" * 6, "locale": "\0"}, path)
            assert 400 <= post(client, client.seal_to_service(document), path).status < 500


# --- 2.1.5 ----------------------------------------------------------------------------------------------------------


def test_answers_are_plain(client: Client) -> None:
    """C2.1.5: the client holds no token yet."""
    for answer in (
        client.before_sign_in(PATH, FIELDS),
        client.call("POST", PATH, b"{}"),
        client.verify_otp("nobody@example.com", "000000"),
    ):
        assert not answer.encrypted
        assert "x-encrypted" not in answer.headers
        assert b'"encrypted"' not in answer.wire


def test_a_token_is_no_way_around_the_service_key(client_for: MakeClient, customer: Customer) -> None:
    """C2.1.5, C2.2.3: no token key before sign-in, even for a client that holds a token."""
    client = client_for(customer)
    keys = TokenKeys(factories.session(factories.user(customer)).access)
    text = keys.seal(client.stamped(FIELDS, PATH), info=f"request POST {PATH}")
    assert error(post(client, text)) == REFUSED


def test_errors_keep_their_keys_to_themselves() -> None:
    shown = repr(service_keys.shared()) + repr(service_keys.pairs())
    for pair in service_keys.pairs():
        assert f"{pair.private_key.private_numbers().private_value:x}" not in shown
    for key in service_keys.shared():
        assert key.key.hex() not in shown
        assert repr(key.key) not in shown
    assert "key" not in str(InvalidEnvelope())


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_another_method_with_or_without_a_body(client_for: MakeClient, method: str) -> None:
    answer = client_for(None).call(method, "/api/auth/request-otp")
    assert (answer.status, answer.error_type) == (405, "method_not_allowed")
