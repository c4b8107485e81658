"""C9: `generate_env` prints a good set, and whatever it makes is accepted."""

import random
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.core.secret_values import fresh_secrets, is_guessable, secret_fault
from config import environment
from tests.config.installation import CHECKOUT, GOOD, KEY, as_file, checkout_in, in_production, run


@pytest.fixture(scope="module")
def lines() -> dict[str, str]:
    return generated()


def generated() -> dict[str, str]:
    """What it prints on an unconfigured machine: all lines, those to fill in with their #."""
    result = run({}, "manage.py", "generate_env")
    assert result.returncode == 0, result.stderr
    lines = re.findall(r"^(#?)([A-Z_]+)=(.*)$", result.stdout, re.MULTILINE)
    return {f"{mark}{name}": value for mark, name, value in lines}


def test_production_accepts_what_it_prints_once_the_addresses_are_filled_in(lines: dict[str, str]) -> None:
    assert lines["DJANGO_SETTINGS_MODULE"] == environment.PRODUCTION
    to_fill_in = [name for name in environment.REQUIRED_IN_PRODUCTION if name not in lines]
    assert [name for name in to_fill_in if f"#{name}" not in lines] == []

    printed = {name: value for name, value in lines.items() if not name.startswith("#")}
    filled = {**printed, **{name: GOOD[name] for name in to_fill_in}}
    checked = run(filled, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr


def test_it_never_prints_the_same_secret_twice(lines: dict[str, str]) -> None:
    first, second = lines, generated()
    secrets = [name for name in first if not name.startswith("#") and name != "DJANGO_SETTINGS_MODULE"]
    assert {*environment.SECRETS} <= {*secrets}
    assert [name for name in secrets if first[name] == second[name]] == []


def test_what_it_writes_only_its_owner_can_read_and_nothing_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert run({}, "manage.py", "generate_env", "--write", str(path)).returncode == 0
    written = path.read_text(encoding="utf-8")
    assert "SECRET_KEY=" in written
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    again = run({}, "manage.py", "generate_env", "--write", str(path))
    assert (again.returncode, "is there already" in again.stderr, "Traceback" in again.stderr) == (1, True, False)
    assert path.read_text(encoding="utf-8") == written

    nowhere = run({}, "manage.py", "generate_env", "--write", str(tmp_path / "absent" / ".env"))
    assert (nowhere.returncode, "cannot be made" in nowhere.stderr) == (1, True)


def test_what_a_shell_writes_by_it_only_its_owner_can_read(tmp_path: Path) -> None:
    """`python manage.py generate_env > .env`, whatever the umask."""
    path = tmp_path / ".env"
    with path.open("w") as file:
        path.chmod(0o644)
        subprocess.run([sys.executable, "manage.py", "generate_env"], cwd=CHECKOUT, stdout=file, check=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "SECRET_KEY=" in path.read_text(encoding="utf-8")


def fault_of(secrets: dict[str, str]) -> list[str]:
    return [fault for name, value in secrets.items() if (fault := secret_fault(name, value))]


@given(st.lists(st.binary(min_size=48, max_size=48), max_size=6))
@example([bytes(48)] * 3)
@example([b"\xcb\x1c\x71\xcb\x1c\x71" * 8])  # "yxxxyxxx…"
def test_whatever_chance_draws_what_is_made_is_accepted(draws: list[bytes]) -> None:
    waiting: Iterator[bytes] = iter(draws)
    chance = random.Random(0)
    assert fault_of(fresh_secrets(lambda size: next(waiting, b"")[:size] or chance.randbytes(size))) == []


def test_the_check_refuses_nothing_random() -> None:
    """Once it refused 17 sets of 200,000, for an `xxxx` or `your-` that chance had drawn."""
    chance = random.Random(1)
    refused = 0
    for _ in range(20_000):
        refused += is_guessable(random_key(chance))
    assert refused == 0


def random_key(chance: random.Random) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return "".join(chance.choices(alphabet, k=43))


@pytest.mark.parametrize(
    "planted", ["xxxx", "xXxXx", "your-", "Example", "change_me", "password", "secret-key", "insecure"]
)
@pytest.mark.parametrize("place", [1, 20, 43])
def test_a_word_that_chance_has_drawn_into_a_secret_does_no_harm(planted: str, place: int) -> None:
    assert not is_guessable(KEY[:place] + planted + KEY[place:])


@pytest.mark.parametrize(
    "placeholder",
    [
        "change-me-" * 5,
        "changemechangemechangemechangemechangeme",
        "CHANGE_ME_TO_A_LONG_RANDOM_STRING_PLEASE",
        f"django-insecure-{KEY}",
        f"change-me-{KEY}",
        "<your secret here>" * 3,
        "${SECRET_KEY:-a-default-of-somebody-else-9j3k4l}",
        "{{ vault.gatehouse.secret_key_of_production }}",
        "your-secret-key-here-please-change-it-1234567890",
        "this-is-not-a-secret-this-is-an-example-password",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "0" * 64,
        "0123456789abcdef" * 4,
        "abcabcabcabcabcabcabcabcabcabcabcabcabc",
        "",
    ],
)
def test_a_placeholder_is_refused(placeholder: str) -> None:
    assert is_guessable(placeholder)


def test_each_master_key_is_looked_at() -> None:
    weak = "A" * 43
    assert secret_fault("MASTER_KEYS", f"k1:{KEY},k0:{weak}") == "MASTER_KEYS is a known placeholder or guessable."


def test_a_file_that_others_can_read_is_warned_about_in_production(tmp_path: Path) -> None:
    """C9"""
    path = checkout_in(tmp_path) / ".env"
    path.write_text(as_file(GOOD), encoding="utf-8")
    said = {}
    for mode in (0o644, 0o640):
        path.chmod(mode)
        result = in_production({}, "-c", "from django.conf import settings; settings.DEBUG", cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        said[mode] = f"chmod 600 {path}" in result.stderr
    assert said == {0o644: True, 0o640: False}
