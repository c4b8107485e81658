"""`manage.py import_users`: all of a file or nothing of it, and safe to run again."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import hashers
from django.core.management import CommandError, call_command

from apps.audit.models import Event
from apps.customers.models import Customer
from apps.signin.models import Password
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.signin.entering import PASSWORD, login

pytestmark = pytest.mark.django_db(transaction=True)

BCRYPT = hashers.BCryptPasswordHasher().encode(PASSWORD, b"$2b$04$abcdefghijklmnopqrstuu").removeprefix("bcrypt$")
PBKDF2 = hashers.PBKDF2PasswordHasher().encode(PASSWORD, "saltsaltsalt", iterations=1000)
ARGON2 = hashers.Argon2PasswordHasher().encode(PASSWORD, "saltsaltsalt").removeprefix("argon2")


def run(customer: Customer, tmp_path: Path, *lines: object, **options: object) -> str:
    file = tmp_path / "users.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    out = StringIO()
    call_command("import_users", str(file), customer=customer.slug, stdout=out, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["bcrypt", "bcrypt of PHP", "pbkdf2", "argon2"])
def test_imported_users_sign_in_with_the_password_they_had(client_for: MakeClient, tmp_path: Path, kind: str) -> None:
    encoded = {"bcrypt": BCRYPT, "bcrypt of PHP": BCRYPT.replace("$2b$", "$2y$"), "pbkdf2": PBKDF2, "argon2": ARGON2}[
        kind
    ]
    customer = factories.customer()
    run(
        customer,
        tmp_path,
        {"email": "Ada@Example.com", "password_hash": encoded, "name": "Ada", "email_verified": True},
    )
    answer = login(client_for(customer))
    assert answer.status == 200, answer.document
    assert (answer.document["user"]["name"], answer.document["user"]["email"]) == ("Ada", "Ada@Example.com")
    assert Password.objects.get().encoded.startswith("argon2$argon2id$")


def test_who_is_there_already_is_left_alone_and_it_can_be_run_again(tmp_path: Path) -> None:
    customer = factories.customer()
    factories.user(customer, "ada@example.com", name="as it was")
    lines = [{"email": "ada@example.com", "name": "other", "password_hash": BCRYPT}, {"email": "bob@example.com"}]
    assert "Imported 1 users; 1 were there already." in run(customer, tmp_path, *lines)
    assert "Imported 0 users; 2 were there already." in run(customer, tmp_path, *lines)
    assert User.objects.get(email="ada@example.com").name == "as it was"
    assert not Password.objects.exists()
    assert [event.details for event in Event.objects.filter(action="users_imported").order_by("at")] == [
        {"count": 1},
        {"count": 0},
    ]


def test_one_wrong_line_and_nothing_is_imported(tmp_path: Path) -> None:
    customer = factories.customer()
    wrong = [
        "not json",
        "[]",
        {"email": "nobody"},
        {"email": "a@example.com", "password": "plain"},
        {"email": "a@example.com", "password_hash": "md5$abc"},
        {"email": "a@example.com", "password_hash": "bcrypt$nonsense"},
        {"email": "a@example.com", "role": "emperor"},
        {"email": "a@example.com", "email_verified": "yes"},
        {"email": "a@example.com", "name": 7},
    ]
    with pytest.raises(CommandError) as refused:
        run(customer, tmp_path, {"email": "good@example.com"}, *wrong)
    message = str(refused.value)
    assert message.startswith("Nothing was imported: 9 of 10 lines are wrong.")
    assert all(f"line {number}: " in message for number in range(2, 11))
    assert not User.objects.exists()


def test_a_dry_run_imports_nothing(tmp_path: Path) -> None:
    said = run(factories.customer(), tmp_path, {"email": "a@example.com"}, dry_run=True)
    assert said == "1 users could be imported. Nothing was.\n"
    assert not User.objects.exists()


def test_it_says_what_is_wrong(tmp_path: Path) -> None:
    customer = factories.customer()
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_users", str(tmp_path / "none"), customer=customer.slug)
    with pytest.raises(CommandError, match="no customer 'nobody'"):
        call_command("import_users", str(tmp_path / "none"), customer="nobody")
    (tmp_path / "latin").write_bytes(b'{"email": "\xe4"}')
    with pytest.raises(CommandError, match="not UTF-8"):
        call_command("import_users", str(tmp_path / "latin"), customer=customer.slug)


def test_the_same_address_twice_in_one_file_is_one_user(tmp_path: Path) -> None:
    run(factories.customer(), tmp_path, {"email": "a@example.com"}, {"email": "A@example.com"})
    assert User.objects.count() == 1
