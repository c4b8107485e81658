"""Bodies after sign-in, through the API: everything a token's holder sends and gets is under the token's own keys."""

import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.errors import DecodeError
from joserfc.jwk import ECKey, OctKey
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import renderers
from apps.api.renderers import AnswerTooLong, EnvelopeRenderer
from apps.payloads import service_keys, token_envelope
from apps.payloads.errors import InvalidEnvelope
from apps.payloads.token_envelope import TokenEnvelope
from demo.client import ALGORITHMS, Answer, Client, TokenKeys, envelope
from tests import factories
from tests.conftest import MakeClient
from tests.payloads.tampering import changed_anywhere

ME = "/api/auth/me"
REFUSED = (400, "decryption_failed")


class SignedIn:
    """A user of one customer, and one of another customer, both signed in."""

    def __init__(self, client_for: MakeClient) -> None:
        self.client: Client = client_for(None)
        self.token = factories.session(factories.user(factories.customer())).access
        self.stranger = factories.session(factories.user(factories.customer())).access
        self.keys = TokenKeys(self.token)

    def send(self, method: str, path: str, text: str, *, token: str | None = None) -> Answer:
        token = token or self.token
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.call(method, path, envelope(text), headers=headers, keys=TokenKeys(token))


@pytest.fixture
def signed_in(client_for: MakeClient) -> SignedIn:
    return SignedIn(client_for)


def error(answer: Answer) -> tuple[int, Any]:
    return answer.status, answer.error_type


@pytest.mark.django_db(transaction=True)
class TestThroughTheApi:
    def test_bodies_are_encrypted_both_ways(self, signed_in: SignedIn) -> None:
        """C2.2.1: the answer bears X-Encrypted and nothing but the envelope."""
        answer = signed_in.client.patch(ME, {"name": "Zoë"}, token=signed_in.token)
        assert (answer.status, answer.encrypted, answer.document["name"]) == (200, True, "Zoë")
        assert answer.headers["x-encrypted"] == "true"
        assert answer.headers["content-type"] == "application/json"
        wire = json.loads(answer.wire)
        assert wire["encrypted"] is True
        assert set(wire) == {"encrypted", "data"}
        assert b"@" not in answer.wire  # no address in the clear; base64url has no such character

    def test_an_answer_is_under_the_key_of_its_call(self, signed_in: SignedIn) -> None:
        """C2.2.2: alg dir, enc A256GCM, kid = the token's jti; the info binds method, path and status."""
        wire = json.loads(signed_in.client.get(ME, token=signed_in.token).wire)["data"]
        key = signed_in.keys.key(f"response GET {ME} 200")
        found = jwe.decrypt_compact(wire, key, algorithms=ALGORITHMS)
        assert found.protected == {"alg": "dir", "enc": "A256GCM", "kid": signed_in.keys.kid}
        for info in (
            f"response PATCH {ME} 200",
            f"response GET {ME} 201",
            "response GET /api/auth/sessions 200",
            f"request GET {ME}",
        ):
            with pytest.raises(DecodeError):
                signed_in.keys.open(wire, info=info)
        with pytest.raises(DecodeError):
            TokenKeys(signed_in.stranger, kid=signed_in.keys.kid).open(wire, info=f"response GET {ME} 200")

    def test_the_path_is_without_the_query(self, signed_in: SignedIn) -> None:
        """C2.2.2"""
        assert signed_in.client.get("/api/auth/sessions?limit=1&x=%20", token=signed_in.token).status == 200

    @pytest.mark.parametrize(
        ("method", "path", "document", "expected"),
        [
            ("PATCH", ME, {"name": 1 << 70, "locale": []}, (400, "validation_error")),
            ("PUT", ME, {"name": "x"}, (405, "method_not_allowed")),
            ("GET", "/api/auth/sessions?cursor=nonsense", None, (400, "validation_error")),
            ("DELETE", "/api/auth/sessions/019b7c3e-0000-7000-8000-000000000003", None, (404, "not_found")),
        ],
    )
    def test_errors_are_encrypted_too(
        self, signed_in: SignedIn, method: str, path: str, document: Any, expected: tuple[int, str]
    ) -> None:
        """C2.2.1: errors included."""
        answer = signed_in.client.with_token(method, path, document, token=signed_in.token)
        assert answer.encrypted
        assert error(answer) == expected

    def test_an_error_of_ours_is_encrypted_too(self, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
        """C2.2.1: every answer, 500 included."""

        def broken(*_: object, **__: object) -> None:
            raise OperationalError("secret of the database")

        signed_in.client.get(ME, token=signed_in.token)
        monkeypatch.setattr("apps.api.auth.me.profile", broken)
        answer = signed_in.client.get(ME, token=signed_in.token)
        assert answer.status >= 500
        assert answer.encrypted
        assert "secret" not in str(answer.document)

    def test_a_401_is_never_encrypted(self, signed_in: SignedIn) -> None:
        """C2.2.3: there is no valid token to encrypt to."""
        assert signed_in.client.post("/api/auth/logout", {}, token=signed_in.token).encrypted
        for headers in ({"Authorization": f"Bearer {signed_in.token}"}, {}):
            answer = signed_in.client.call("GET", ME, headers=headers, keys=signed_in.keys)
            assert answer.status == 401
            assert not answer.encrypted
            assert answer.error_type

    def test_a_plain_request_body_is_refused(self, signed_in: SignedIn) -> None:
        """C2.2.1: request bodies must be encrypted the same way; even the refusal is encrypted."""
        for body in (b'{"name":"x"}', b"[]", b"x", b'{"encrypted":true}', b'{"encrypted":false,"data":""}'):
            headers = {"Authorization": f"Bearer {signed_in.token}"}
            answer = signed_in.client.call("PATCH", ME, body, headers=headers, keys=signed_in.keys)
            assert error(answer) == (400, "encryption_required")
            assert answer.encrypted

    def test_a_body_moved_to_another_call_does_not_decrypt(self, signed_in: SignedIn) -> None:
        """C2.2.2: bound to method, path and token."""
        document, keys = {"name": "Moved"}, signed_in.keys
        fits = keys.seal(document, info=f"request PATCH {ME}")
        wrong = [
            keys.seal(document, info=info)
            for info in (
                f"request POST {ME}",
                f"request PATCH {ME}/",
                f"request  PATCH {ME}",
                f"request patch {ME}",
                f"request PATCH {ME}?x=1",
                f"response PATCH {ME} 200",
                f"PATCH {ME}",
            )
        ]
        wrong.append(TokenKeys(signed_in.stranger, kid=keys.kid).seal(document, info=f"request PATCH {ME}"))
        wrong.append(TokenKeys(signed_in.token, kid="another").seal(document, info=f"request PATCH {ME}"))
        for text in wrong:
            answer = signed_in.send("PATCH", ME, text)
            assert error(answer) == REFUSED
            assert answer.encrypted
        assert error(signed_in.send("PATCH", ME, fits, token=signed_in.stranger)) == REFUSED
        assert signed_in.send("PATCH", ME, fits).status == 200

    def test_the_kid_is_required(self, signed_in: SignedIn) -> None:
        """C2.2.2"""
        key = signed_in.keys.key(f"request PATCH {ME}")
        text = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, b'{"name":"x"}', key, algorithms=ALGORITHMS)
        assert error(signed_in.send("PATCH", ME, text)) == REFUSED

    def test_no_service_key_after_sign_in(self, signed_in: SignedIn) -> None:
        """C2.2.3: a body under the wrong key is decryption_failed, even with the right kid."""
        shared, pair = service_keys.shared()[0], service_keys.pairs()[0]
        document = json.dumps(signed_in.client.stamped({"name": "x"}, ME)).encode()
        for key, algorithm, own in (
            (OctKey.import_key(shared.key), "dir", shared.kid),
            (ECKey.import_key(pair.public_jwk), "ECDH-ES", pair.kid),
        ):
            for kid in (own, signed_in.keys.kid):
                header = {"alg": algorithm, "enc": "A256GCM", "kid": kid}
                text = jwe.encrypt_compact(header, document, key, algorithms=ALGORITHMS)
                assert error(signed_in.send("PATCH", ME, text)) == REFUSED

    def test_what_is_inside_must_be_a_document(self, signed_in: SignedIn) -> None:
        key = signed_in.keys.key(f"request PATCH {ME}")
        header = {"alg": "dir", "enc": "A256GCM", "kid": signed_in.keys.kid}
        for plaintext in (b"", b"[]", b"1", b"\xff", b'{"a":1,"a":1}', b'{"a":NaN}', b'{"a":' * 9000):
            text = jwe.encrypt_compact(header, plaintext, key, algorithms=ALGORITHMS)
            assert error(signed_in.send("PATCH", ME, text)) == REFUSED

    def test_a_body_too_long_is_refused_encrypted(self, signed_in: SignedIn) -> None:
        answer = signed_in.send("PATCH", ME, "x" * 70_000)
        assert (answer.status, answer.error_type, answer.encrypted) == (413, "payload_too_large", True)

    def test_odd_characters_in_fields_are_never_an_error_of_ours(self, signed_in: SignedIn) -> None:
        for name in ("a\0b", "\0", "\U0010ffff", "x" * 5000, "\u202e"):
            answer = signed_in.client.patch(ME, {"name": name}, token=signed_in.token)
            assert answer.status < 500
            assert answer.encrypted

    def test_head_is_the_headers_of_get(self, signed_in: SignedIn) -> None:
        answer = signed_in.client.call("HEAD", ME, headers={"Authorization": f"Bearer {signed_in.token}"})
        assert (answer.status, answer.wire) == (200, b"")

    def test_no_two_answers_look_alike(self, signed_in: SignedIn) -> None:
        assert len({signed_in.client.get(ME, token=signed_in.token).wire for _ in range(5)}) == 5

    def test_the_holder_of_the_token_can_read_and_nobody_else(self, signed_in: SignedIn) -> None:
        """C2.2.5: the token is the key; docs/encryption.md says what that protects and what not."""
        wire = json.loads(signed_in.client.get(ME, token=signed_in.token).wire)["data"]
        assert TokenKeys(signed_in.token).open(wire, info=f"response GET {ME} 200")["email"]
        with pytest.raises(DecodeError):
            TokenKeys(signed_in.stranger).open(wire, info=f"response GET {ME} 200")


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers() | st.booleans()), st.data())
def test_every_document_comes_back_and_no_changed_one(document: dict[str, Any], data: st.DataObject) -> None:
    ours = TokenEnvelope(kid="jti-1", prk=bytes(32))
    text = TokenKeys(prk=bytes(32), kid="jti-1").seal(document, info="request POST /x")
    assert ours.open_request(text, method="POST", path="/x") == document
    with pytest.raises(InvalidEnvelope):
        ours.open_request(changed_anywhere(text, data), method="POST", path="/x")


@given(st.binary(max_size=500), st.integers(200, 599))
def test_an_independent_client_opens_what_we_seal(plaintext: bytes, status: int) -> None:
    """C2.2.2"""
    text = TokenEnvelope(kid="jti-1", prk=bytes(32)).seal_response(plaintext, method="GET", path="/é", status=status)
    key = TokenKeys(prk=bytes(32), kid="jti-1").key(f"response GET /é {status}")
    assert jwe.decrypt_compact(text, key, algorithms=ALGORITHMS).plaintext == plaintext


def test_the_prk_is_hkdf_extract_of_the_compact_token() -> None:
    """C2.2.2: salt gatehouse/v1, ikm = the compact JWT as ASCII."""
    assert token_envelope.derive("a.b.c") == TokenKeys("a.b.c", kid="x").prk
    assert token_envelope.derive("a.b.c") != token_envelope.derive("a.b.d")


def rendered(document: Any, status: int = 200) -> bytes:
    request = Request(RequestFactory().get("/api/x"))
    request._auth = TokenEnvelope(kid="j", prk=bytes(32))  # type: ignore[attr-defined]
    response = Response(status=status)
    return EnvelopeRenderer().render(document, renderer_context={"request": request, "response": response})


def test_an_answer_stays_under_48_kib_and_that_is_short_enough_for_joserfc() -> None:
    """C2.2.4: a longer one is our own mistake, and is reported as one."""
    room = 48 * 1024 - len(renderers.as_json({"a": ""}))
    longest = json.loads(rendered({"a": "x" * (room - 1)}))["data"]
    assert TokenKeys(prk=bytes(32), kid="j").open(longest, info="response GET /api/x 200")["a"]
    with pytest.raises(AnswerTooLong):
        rendered({"a": "x" * room})


def test_no_body_needs_no_envelope() -> None:
    """C2.2.1: every response with a body."""
    assert rendered(None, 204) == b""


def test_a_401_in_a_view_stays_plain() -> None:
    """C2.2.3: never encrypted."""
    assert json.loads(rendered({"error": {}}, 401)) == {"error": {}}


def test_the_prk_has_no_place_in_a_repr() -> None:
    """C2.4.3"""
    shown = repr(TokenEnvelope(kid="j", prk=bytes(range(32))))
    assert repr(bytes(range(32))) not in shown
    assert "prk" not in shown
