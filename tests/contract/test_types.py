"""C5: a JSON member of another type than its field's is 400 `validation_error`, at every endpoint that takes a document."""

import json
from typing import Any

import pytest
from django.utils import timezone

from apps.core import signatures
from apps.core.ids import new_id
from demo.client import Answer
from tests import factories
from tests.approvals.approving import waiting
from tests.approvals.checking import secret_of
from tests.conftest import MakeClient
from tests.contract.documented import SCHEMA
from tests.contract.operations import OPERATIONS, address, send
from tests.contract.test_fuzz import Trial

pytestmark = pytest.mark.django_db(transaction=True)

VALUES: dict[str, list[object]] = {
    "string": ["text"],
    "number": [405173, 0, 1, -7.5],
    "boolean": [True, False],
    "array": [[], ["text"], [405173]],
    "object": [{}, {"text": "text"}],
    "null": [None],
}
NAMED_OTHERWISE = {"integer": "number"}
IDENTITY_CHECK = "POST /api/identity-checks/{check_id}"


def members(name: str) -> dict[str, Any]:
    """The members of the document that this operation takes, and the schema of each."""
    method, path = name.split(" ")
    body = SCHEMA["paths"][path][method.lower()].get("requestBody", {"content": {}})
    schema = body["content"].get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = SCHEMA["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found: dict[str, Any] = schema.get("properties", {})
    return found


def type_of(schema: dict[str, Any]) -> str:
    """The types of a member, following references and choices."""
    for part in (schema, *schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        if "$ref" in part:
            return type_of(SCHEMA["components"]["schemas"][part["$ref"].rpartition("/")[2]])
        if "type" in part:
            return NAMED_OTHERWISE.get(part["type"], part["type"])
    raise AssertionError(f"a member that may be anything: {schema}")


WITH_DOCUMENT = sorted(name for name in OPERATIONS if members(name))


def require_refused(answer: Answer, member: str, value: object) -> None:
    wrong = (member, value, answer.status, answer.document)
    assert (answer.status, answer.error_type) == (400, "validation_error"), wrong
    assert member in answer.document["error"]["fields"], wrong


@pytest.mark.parametrize("name", [name for name in WITH_DOCUMENT if name != IDENTITY_CHECK])
def test_a_member_of_another_json_type_is_refused_by_name(client_for: MakeClient, settings: object, name: str) -> None:
    settings.SMS_BACKEND = "apps.mail.sms_transports.Console"  # type: ignore[attr-defined]
    trial = Trial(client_for)
    found = members(name)
    path = address(name, {"passkey_id": new_id(), "client_id": trial.oauth_client.id}, None)
    token = trial.token_for(name)
    for member, schema in found.items():
        right = {other: values[0] for other, values in trial.values().items() if other in found}
        for kind, values in VALUES.items():
            for value in values if kind != type_of(schema) else ():
                answer = send(trial.client, name, path, {**right, member: value}, token=token)
                require_refused(answer, member, value)


def test_an_outside_check_answers_in_the_right_types_too(client_for: MakeClient) -> None:
    customer, client, check = waiting(client_for, identity_check_url="https://checks.example.test/")
    found = members(IDENTITY_CHECK)
    assert set(found) == {"check_id", "approved", "reason"}
    for member, schema in found.items():
        for kind, values in VALUES.items():
            for value in values if kind != type_of(schema) else ():
                body = json.dumps({"check_id": str(check.id), "approved": True, member: value}).encode()
                headers = {signatures.HEADER: signatures.sign(body, key=secret_of(customer), now=timezone.now())}
                answer = client.call("POST", f"/api/identity-checks/{check.id}", body, headers=headers)
                require_refused(answer, member, value)


def test_words_that_only_sound_like_yes_approve_nobody(client_for: MakeClient) -> None:
    customer, client, check = waiting(client_for, identity_check_url="https://checks.example.test/")
    for word in ("yes", "true", "on", "1", "t"):
        body = json.dumps({"check_id": str(check.id), "approved": word}).encode()
        headers = {signatures.HEADER: signatures.sign(body, key=secret_of(customer), now=timezone.now())}
        answer = client.call("POST", f"/api/identity-checks/{check.id}", body, headers=headers)
        require_refused(answer, "approved", word)
    check.refresh_from_db()
    assert check.state == "waiting"


def spellings(user_id: str) -> list[str]:
    """Other spellings that Python's UUID accepts for the same id."""
    return [user_id.upper(), user_id.replace("-", ""), f"urn:uuid:{user_id}", f"{{{user_id}}}", f" {user_id}"]


def test_an_id_has_one_spelling(client_for: MakeClient) -> None:
    """In a document another spelling is a validation error; in a path it is a 404."""
    trial = Trial(client_for)
    session_id = str(factories.session(trial.user).session_id)
    for spelling in spellings(str(trial.user.id)):
        answer = send(
            trial.client, name := "POST /api/internal/verify-user", name.split(" ")[1], {"user_id": spelling}, token=""
        )
        require_refused(answer, "user_id", spelling)
    for spelling in [*spellings(session_id), "x", "1"]:
        name = "DELETE /api/auth/sessions/{session_id}"
        answer = send(trial.client, name, address(name, {"session_id": spelling}, None), None, token=trial.token)
        assert (spelling, answer.status, answer.error_type) == (spelling, 404, "not_found")
    right = send(
        trial.client,
        "POST /api/internal/verify-user",
        "/api/internal/verify-user",
        {"user_id": str(trial.user.id)},
        token="",
    )
    assert right.status == 200


@pytest.mark.parametrize("path", ["/api/auth/introspect", "/api/auth/revoke"])
def test_forms_have_nothing_but_strings_and_work_as_before(client_for: MakeClient, path: str) -> None:
    trial = Trial(client_for)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = trial.client.call("POST", path, f"token={trial.token}".encode(), headers=headers)
    assert answer.status == 200
    assert path.endswith("revoke") or answer.document["active"] is True
