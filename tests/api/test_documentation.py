"""/api/docs: every call says what it does, and the example of encryption is right."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from joserfc import jwe
from joserfc.jwk import OctKey

from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
METHODS = ("get", "post", "put", "patch", "delete")


def operations() -> list[dict[str, Any]]:
    paths = Client().get("/api/schema").json()["paths"]
    return [each for path in paths.values() for method, each in path.items() if method in METHODS]


def test_every_operation_has_a_summary_of_its_own() -> None:
    summaries = [operation.get("summary", "") for operation in operations()]
    assert all(summaries), [operation["operationId"] for operation in operations() if not operation.get("summary")]
    assert len(set(summaries)) == len(summaries)


def page() -> str:
    return Client().get("/api/docs").content.decode()


def block(name: str) -> str:
    found = re.search(rf'id="{name}">([^<]+)</pre>', page())
    assert found, name
    return unescape(found[1])


def test_the_page_shows_every_operation_with_its_summary() -> None:
    shown = unescape(page())
    for operation in operations():
        assert f'<details class="call" id="{operation["operationId"]}">' in shown
        assert f'<span class="about">{operation["summary"]}</span>' in shown


def test_the_examples_are_documents_that_fit_their_calls() -> None:
    examples = re.findall(r'data-request="([^"]+)"', page())
    assert len(examples) > 20
    assert json.loads(unescape(examples[0]))
    assert "ada@example.com" in " ".join(examples)


def test_the_worked_example_opens_under_its_key() -> None:
    """Whoever writes a client checks their own code against it."""
    key = OctKey.import_key(bytes.fromhex(block("example-key")))
    opened = jwe.decrypt_compact(block("example-sealed"), key, algorithms=["dir", "A256GCM"])
    assert opened.protected == json.loads(block("example-header"))
    assert opened.protected["kid"] == key.thumbprint()
    assert opened.plaintext == block("example-plain").encode()


def test_the_page_is_public_and_says_nothing_of_customers() -> None:
    factories.customer(name="Secret Customer", slug="secret-customer")
    answer = Client().get("/api/docs")
    assert answer.status_code == 200
    assert "ecret Customer" not in answer.content.decode()
    assert "secret-customer" not in answer.content.decode()
    assert not answer.cookies
    assert Client().post("/api/docs").status_code == 405


def test_no_field_has_a_name_by_which_a_browser_would_send_it() -> None:
    """A form that is sent before its script has loaded puts nothing into an address."""
    form = page().partition('<form id="try-form"')[2].partition("</form>")[0]
    assert form.count("<input") == 4
    assert not re.search(r"<(?:input|select|textarea)[^>]*\sname=", form)
