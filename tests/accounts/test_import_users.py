"""`manage.py import_users`: all of a file or nothing, and safe to run again."""

import json
from io import StringIO
from pathlib import Path

import argon2
import bcrypt
import pytest
from django.contrib.auth import hashers
from django.core.management import CommandError, call_command

from apps.audit.models import Event
from apps.customers.models import Customer
from apps.signin import passwords
from apps.signin.models import Password
from apps.users.models import User
from tests import factories
from tests.accounts.registering import register
from tests.conftest import MakeClient
from tests.races import at_once, outcome
from tests.signin.entering import PASSWORD, generous, login, member
from tests.signin.observing import observed

pytestmark = pytest.mark.django_db(transaction=True)

BCRYPT = hashers.BCryptPasswordHasher().encode(PASSWORD, b"$2b$04$abcdefghijklmnopqrstuu").removeprefix("bcrypt$")
PBKDF2 = hashers.PBKDF2PasswordHasher().encode(PASSWORD, "saltsaltsalt", iterations=1000)
ARGON2 = argon2.PasswordHasher(time_cost=2, memory_cost=1024, parallelism=2).hash(PASSWORD)


def run(customer: Customer, tmp_path: Path, *lines: object, **options: object) -> str:
    file = tmp_path / "users.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    out = StringIO()
    call_command("import_users", str(file), customer=customer.slug, stdout=out, **options)
    return out.getvalue()


HASHES = {
    "bcrypt": BCRYPT,
    "bcrypt of old": BCRYPT.replace("$2b$", "$2a$"),
    "bcrypt of PHP": BCRYPT.replace("$2b$", "$2y$"),
    "bcrypt as Django writes it": f"bcrypt${BCRYPT}",
    "bcrypt of SHA-256": hashers.BCryptSHA256PasswordHasher().encode(PASSWORD, b"$2b$04$abcdefghijklmnopqrstuu"),
    "pbkdf2": PBKDF2,
    "pbkdf2 with SHA-1": hashers.PBKDF2SHA1PasswordHasher().encode(PASSWORD, "saltsaltsalt", iterations=1000),
    "argon2": ARGON2,
    "argon2 as Django writes it": f"argon2{ARGON2}",
}


@pytest.mark.parametrize("kind", HASHES)
def test_imported_users_sign_in_with_the_password_they_had(client_for: MakeClient, tmp_path: Path, kind: str) -> None:
    encoded = HASHES[kind]
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


def test_bcrypt_knows_the_first_72_bytes(client_for: MakeClient, tmp_path: Path) -> None:
    """A longer password is not a 500 (bcrypt 5 refuses it), and counts as the one that was hashed."""
    long = "\u00fc" * 36
    encoded = hashers.BCryptPasswordHasher().encode(long, b"$2b$04$abcdefghijklmnopqrstuu").removeprefix("bcrypt$")
    customer = factories.customer()
    run(customer, tmp_path, {"email": "ada@example.com", "password_hash": encoded})
    assert login(client_for(customer), "x" * 128).status == 401
    assert login(client_for(customer), long + " and what the old system did not look at").status == 200


def test_many_sign_in_at_once_while_the_hash_is_replaced(client_for: MakeClient, tmp_path: Path) -> None:
    customer = generous()
    run(customer, tmp_path, {"email": "ada@example.com", "password_hash": BCRYPT, "email_verified": True})
    assert set(at_once(6, lambda _: login(client_for(customer)).status)) == {200}


def test_imports_of_one_file_at_once_import_it_once(tmp_path: Path) -> None:
    customer = factories.customer()
    lines = [{"email": f"u{number}@example.com"} for number in range(50)]
    run(customer, tmp_path, *lines, dry_run=True)
    file = str(tmp_path / "users.jsonl")
    ended = at_once(
        4, lambda _: outcome(lambda: call_command("import_users", file, customer=customer.slug, stdout=StringIO()))
    )
    assert set(ended) <= {"done", "CommandError"}
    assert User.objects.count() == 50


@pytest.mark.parametrize(
    "encoded",
    [
        "$2b$04$short",
        "$2b$12$" + "!" * 53,
        "$2b$04$" + "a" * 53,  # a salt of 131 bits
        "$2b$31$" + BCRYPT[7:],
        "argon2$argon2id$v=19$m=99999999,t=2,p=1$YWJjZGVmZ2g$YWJjZGVmZ2hhYmNkZWZnaA",
        "argon2$argon2id$v=19$m=8,t=2,p=4$YWJjZGVmZ2g$YWJjZGVmZ2hhYmNkZWZnaA",
        "argon2$argon2id$v=19$m=8,t=2",
        "$argon2id$v=19$m=16,t=2,p=1$YWJjZGVmZ2hhY$YWJjZGVmZ2hhYmNkZWZnaA",  # no base64
        "pbkdf2_sha256$0$salt$aGFzaA==",
        "pbkdf2_sha256$999999999$salt$aGFzaA==",
        "pbkdf2_sha256$1000$salt$!!!",
        "plain text",
    ],
)
def test_hashes_that_could_not_be_checked_are_refused(tmp_path: Path, encoded: str) -> None:
    """Refused at the import, instead of a 500 or a minute's wait at the user's next sign-in."""
    with pytest.raises(CommandError, match="line 1: password_hash is neither"):
        run(factories.customer(), tmp_path, {"email": "ada@example.com", "password_hash": encoded})


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


COMPOSED, DECOMPOSED = "d\u00e9j\u00e0 vu \ufb01ve", "de\u0301ja\u0300 vu \ufb01ve"
COMPATIBLE = "d\u00e9j\u00e0 vu five"
TYPED = {"composed": COMPOSED, "decomposed": DECOMPOSED}
MADE_FROM = {**TYPED, "compatibility letters replaced": COMPATIBLE}
OURS = passwords.Argon2Hasher()


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED)
@pytest.mark.parametrize("made_from", MADE_FROM.values(), ids=MADE_FROM)
@pytest.mark.parametrize("kind", ["bcrypt", "pbkdf2", "argon2 with our own costs"])
def test_passwords_keep_working_whatever_keyboard_typed_them(
    client_for: MakeClient, tmp_path: Path, kind: str, made_from: str, typed: str
) -> None:
    """Issue: imported hashes of decomposed text never matched. From the first sign-in on the hash is ours."""
    encoded = {
        "bcrypt": lambda: hashers.BCryptPasswordHasher().encode(made_from, b"$2b$04$abcdefghijklmnopqrstuu"),
        "pbkdf2": lambda: hashers.PBKDF2PasswordHasher().encode(made_from, "saltsaltsalt", iterations=1000),
        "argon2 with our own costs": lambda: OURS.encode(made_from, "saltsaltsaltsaltsaltsa"),
    }[kind]()
    customer = generous()
    run(customer, tmp_path, {"email": "ada@example.com", "password_hash": encoded, "email_verified": True})
    client = client_for(customer)
    assert login(client, made_from + "!").status == 401
    assert login(client, typed).status == 200
    kept = Password.objects.get()
    assert (kept.is_imported, hashers.check_password(COMPOSED, kept.encoded)) == (False, True)
    assert {login(client, text).status for text in TYPED.values()} == {200}


def test_only_imported_hashes_are_tried_in_several_forms(client_for: MakeClient, tmp_path: Path) -> None:
    """Nobody, an ordinary account and an imported one with another hash cost one Argon2 of ours each."""
    customer = generous()
    bcrypt = hashers.BCryptPasswordHasher().encode(DECOMPOSED, b"$2b$04$abcdefghijklmnopqrstuu")
    run(customer, tmp_path, {"email": "imported@example.com", "password_hash": bcrypt, "email_verified": True})
    member(customer, "ada@example.com", COMPOSED)
    client, costs = client_for(customer), {}
    login(client, "fills what is remembered", "nobody@example.com")
    for email in ("nobody@example.com", "ada@example.com", "imported@example.com"):
        with observed() as seen:
            assert login(client, DECOMPOSED + "!", email).status == 401
        costs[email] = (seen.argon2_hashes, seen.statements)
    assert len(set(costs.values())) == 1, costs
    assert costs["nobody@example.com"][0] == 1


def test_bcrypt_cuts_each_form_at_72_bytes(client_for: MakeClient, tmp_path: Path) -> None:
    """Decomposed text is longer, so the cut falls at another letter."""
    composed, decomposed = "\u00e9" * 40, "e\u0301" * 40
    encoded = bcrypt.hashpw(decomposed.encode()[:72], b"$2b$04$abcdefghijklmnopqrstuu").decode()
    customer = generous()
    run(customer, tmp_path, {"email": "ada@example.com", "password_hash": encoded, "email_verified": True})
    assert login(client_for(customer), composed).status == 200


def test_what_no_hash_can_hold_is_refused_alike_for_everybody(client_for: MakeClient, tmp_path: Path) -> None:
    customer = generous()
    run(customer, tmp_path, {"email": "ada@example.com", "password_hash": BCRYPT, "email_verified": True})
    client = client_for(customer)
    for email in ("ada@example.com", "nobody@example.com"):
        assert login(client, "a password\0 with NUL", email).error_type == "validation_error"


def test_length_is_counted_in_characters_after_normalisation(client_for: MakeClient) -> None:
    client = client_for(generous())
    assert register(client, "e\u0301" * 128).status == 202
    assert register(client, "e\u0301" * 129, "b@example.com").error_type == "validation_error"
    assert register(client, "e\u0301" * 7, "c@example.com").error_type == "validation_error"
