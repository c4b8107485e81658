"""C9: values are taken as they are, in `.env` as in the environment."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import dotenv, environment
from config.environment import ConfigurationError, Environment


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=$HOME", "$HOME"),
        ("NAME=$", "$"),
        ("NAME=pa$$word${X}", "pa$$word${X}"),
        (r"NAME=\$word", r"\$word"),
        ("NAME=#FF0000", "#FF0000"),
        ("NAME=Acme #1 <no-reply@acme.test>", "Acme #1 <no-reply@acme.test>"),
        ("NAME=a=b=c==", "a=b=c=="),
        ("NAME=it's", "it's"),
        ('NAME=6" pipe', '6" pipe'),
        ("NAME=back\\slash\\n", "back\\slash\\n"),
        ("export NAME=value", "value"),
        ("  NAME = value with spaces  ", "value with spaces"),
        ("NAME=value\r", "value"),
        ("NAME='  $a #b \\n \"c\" '", '  $a #b \\n "c" '),
        ('NAME="  $a #b "', "  $a #b "),
        (r'NAME="\$a \"b\" \\ \n"', r'$a "b" \ \n'),
        ("NAME=''", ""),
        ("NAME=", ""),
        ("NAME=größe\u2028x", "größe\u2028x"),
    ],
)
def test_a_value_is_taken_as_it_is(line: str, value: str) -> None:
    """C9"""
    assert dotenv.parse(f"# comment\n\n{line}\nOTHER=1\n") == {"NAME": value, "OTHER": "1"}


def test_of_several_lines_for_a_name_the_last_counts_and_a_byte_order_mark_is_nothing() -> None:
    assert dotenv.parse("\ufeffA=1\nA=2") == {"A": "2"}


@pytest.mark.parametrize(
    "line",
    [
        "no assignment",
        "SECRET_KEY: s3cret",
        "-A=1",
        "A-B=s3cret",
        "A='s3cret",
        "A='s3c'ret'",
        'A="s3cret" # why',
        "A=s3cret\0",
    ],
)
def test_what_cannot_be_read_is_refused_by_its_number_and_not_repeated(line: str) -> None:
    with pytest.raises(dotenv.MalformedLine, match="line 2 ") as refusal:
        dotenv.parse(f"GOOD=1\n{line}\n")
    assert "s3c" not in str(refusal.value)


@given(st.text(alphabet=st.characters(exclude_characters="'\n\0", exclude_categories=["Cs"])))
def test_whatever_stands_in_single_quotes_is_the_value(value: str) -> None:
    assert dotenv.parse(f"NAME='{value}'")["NAME"] == value


@pytest.mark.parametrize("value", ["$PATH", "$$", "$", "\\$PATH", "${PATH}", "$SECRET_KEY", "it costs $5"])
def test_no_variable_stands_for_another(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """C9: `$` too."""
    monkeypatch.setenv("SMS_HTTP_TOKEN", value)
    assert Environment().str("SMS_HTTP_TOKEN", default="") == value


@pytest.fixture
def checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of its own for `.env`, and settings that read it."""
    monkeypatch.setattr(environment, "PROJECT_ROOT", tmp_path)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", environment.PRODUCTION)
    return tmp_path


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    (checkout / ".env").write_text("SMS_HTTP_TOKEN=file\nSMS_HTTP_URL=file\n", encoding="utf-8")
    monkeypatch.setenv("SMS_HTTP_TOKEN", "environment")
    monkeypatch.setenv("SMS_HTTP_URL", "")
    monkeypatch.delenv("SMS_HTTP_URL")
    environment.load()
    assert (os.environ["SMS_HTTP_TOKEN"], os.environ["SMS_HTTP_URL"]) == ("environment", "file")


def test_the_tests_themselves_read_no_file(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    """Else the suite would send mail by an installation's server."""
    (checkout / ".env").write_text("SMS_HTTP_TOKEN=file\n", encoding="utf-8")
    for module in environment.WITHOUT_FILE:
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", module)
        environment.load()
        assert "SMS_HTTP_TOKEN" not in os.environ


@pytest.mark.parametrize(
    ("content", "said"), [(b"SECRET_KEY s3cret", "line 1"), (b"A=\xff", "is not UTF-8"), (None, "cannot be read")]
)
def test_a_file_that_cannot_be_read_is_not_taken_for_none(checkout: Path, content: bytes | None, said: str) -> None:
    if content is None:
        (checkout / ".env").mkdir()
    else:
        (checkout / ".env").write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        environment.file_values()
    with pytest.raises(SystemExit, match=said):
        environment.load()


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        ("bool", {"true": True, "On": True, "0": False, "no": False, " ": True}, ["ture", "2", "true # yes", "none"]),
        ("int", {"0": 0, " 7 ": 7, "": 5}, ["-1", "1.5", "x", "1_000", "٣"]),
        ("float", {"0.5": 0.5, "10": 10.0, "": 5.0}, ["-1", "0", "nan", "inf", "x", "1,5"]),
    ],
)
def test_a_typed_value_is_right_or_a_fault(
    monkeypatch: pytest.MonkeyPatch, read: str, good: dict[str, object], bad: list[str]
) -> None:
    default = True if read == "bool" else 5
    for text, value in good.items():
        monkeypatch.setenv("NAME", text)
        env = Environment()
        assert (getattr(env, read)("NAME", default=default), env.faults) == (value, []), text
    for text in bad:
        monkeypatch.setenv("NAME", text)
        env = Environment()
        assert getattr(env, read)("NAME", default=default) == default, text
        assert [fault.startswith("NAME must be ") for fault in env.faults] == [True], text


def test_zero_is_a_number_where_it_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "0")
    env = Environment()
    assert (env.float("NAME", default=0), env.faults) == (0, [])
