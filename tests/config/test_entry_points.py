"""C9: every entry point reads `.env` before it chooses settings, and none runs those for development on an installation's database."""

import os
from pathlib import Path

import pytest

from config import environment
from tests.config.installation import GOOD, as_file, checkout_in, run

WHICH = "from django.conf import settings; print('chosen', settings.SETTINGS_MODULE, settings.DATABASES['default']['HOST'], sep='|')"
# As a process is started: manage.py, Celery's worker and beat (which import the same module), the web server, a shell of one's own.
ENTRY_POINTS = {
    "manage.py": ("manage.py", "shell", "--verbosity", "0", "--command", WHICH),
    "celery": (
        "-c",
        f"from celery.bin.celery import celery; import sys; sys.argv = ['celery']; import config.celery; {WHICH}",
    ),
    "wsgi": ("-c", f"import config.wsgi; {WHICH}"),
}
EXPLICIT = {"DJANGO_SETTINGS_MODULE": environment.DEVELOPMENT}
every_entry_point = pytest.mark.parametrize("entry_point", ENTRY_POINTS)


def chosen(folder: Path, entry_point: str, variables: dict[str, str]) -> tuple[str, str]:
    """The settings it runs with and the host of its database, or why it does not run."""
    result = run(variables, *ENTRY_POINTS[entry_point], cwd=folder)
    assert "Traceback" not in result.stderr, result.stderr
    for line in result.stdout.splitlines():
        if line.startswith("chosen|"):
            _, module, host = line.split("|")
            return module, host
    assert result.returncode == (2 if entry_point == "manage.py" else 1), "manage.py: 1 is a command's own verdict"
    return "refused", result.stderr


def test_what_the_file_says_counts(tmp_path: Path) -> None:
    """At one entry point: the next test shows that each reads the file, `test_how_settings_are_chosen` what follows from it."""
    said = {"DJANGO_SETTINGS_MODULE": environment.PRODUCTION, **GOOD}
    (checkout_in(tmp_path) / ".env").write_text(as_file(said), encoding="utf-8")
    assert chosen(tmp_path, "manage.py", {}) == (environment.PRODUCTION, "db.test")


@every_entry_point
def test_an_engine_that_is_named_means_production(tmp_path: Path, entry_point: str) -> None:
    """As in an old `.env`, from before DJANGO_SETTINGS_MODULE belonged in it."""
    (checkout_in(tmp_path) / ".env").write_text(as_file(GOOD), encoding="utf-8")
    assert chosen(tmp_path, entry_point, {}) == (environment.PRODUCTION, "db.test")


@pytest.mark.parametrize(
    ("of_environment", "of_file", "module"),
    [
        ({}, {}, environment.DEVELOPMENT),
        ({"EMAIL_URL": "smtp://localhost"}, {"PORT": "9000"}, environment.DEVELOPMENT),
        ({"DATABASE_URL": "x"}, {}, environment.PRODUCTION),
        ({"REDIS_URL": "x"}, {}, environment.PRODUCTION),
        ({}, {"DATABASE_URL": "x"}, environment.PRODUCTION),
        ({}, {"REDIS_URL": "x"}, environment.PRODUCTION),
        ({"DATABASE_URL_FILE": __file__}, {}, environment.PRODUCTION),
        ({}, {"REDIS_URL_FILE": __file__}, environment.PRODUCTION),
        ({}, {"DJANGO_SETTINGS_MODULE": "somebody.elses"}, "somebody.elses"),
        ({"DJANGO_SETTINGS_MODULE": ""}, {"DJANGO_SETTINGS_MODULE": "", "DATABASE_URL": "x"}, environment.PRODUCTION),
        (
            {"DJANGO_SETTINGS_MODULE": "of.the.environment"},
            {"DJANGO_SETTINGS_MODULE": "of.the.file"},
            "of.the.environment",
        ),
    ],
)
def test_how_settings_are_chosen(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    of_environment: dict[str, str],
    of_file: dict[str, str],
    module: str,
) -> None:
    monkeypatch.setattr(environment, "PROJECT_ROOT", tmp_path)
    monkeypatch.setattr(os, "environ", dict(of_environment))
    (tmp_path / ".env").write_text(as_file(of_file), encoding="utf-8")
    environment.choose_settings()
    assert os.environ["DJANGO_SETTINGS_MODULE"] == module


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (checkout_in(tmp_path) / ".env").write_text("DATABASE_URL postgresql://u:s3cret@db.test/d", encoding="utf-8")
    module, why = chosen(tmp_path, "manage.py", {})
    assert (module, "line 1 is not of the form NAME=VALUE" in why, "s3cret" in why) == ("refused", True, False)


def test_settings_for_development_are_refused_where_an_installation_lives(tmp_path: Path) -> None:
    """Also when they are asked for: `make demo` asks for them, and can be run in any folder."""
    (checkout_in(tmp_path) / ".env").write_text(as_file(GOOD), encoding="utf-8")
    module, why = chosen(tmp_path, "celery", EXPLICIT)
    assert (module, "is an installation's" in why) == ("refused", True)


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({}, False),
        ({"EMAIL_URL": "smtp://localhost"}, False),
        ({**EXPLICIT, "DATABASE_URL": "x", "REDIS_URL": "x"}, False),
        ({"DATABASE_URL": "x"}, True),
        ({"REDIS_URL_FILE": "x"}, True),
        ({"DJANGO_SETTINGS_MODULE": environment.PRODUCTION, "MASTER_KEYS": "x"}, True),
    ],
)
def test_whose_file_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: dict[str, str], refused: bool) -> None:
    """A `.env` from `generate_env` has new keys, which do not open what a developer's machine has stored."""
    monkeypatch.setattr(environment, "PROJECT_ROOT", tmp_path)
    (tmp_path / ".env").write_text(as_file(said), encoding="utf-8")
    if refused:
        with pytest.raises(SystemExit, match="is an installation's"):
            environment.refuse_another_installation()
    else:
        environment.refuse_another_installation()


def test_an_engine_for_development_is_used_where_the_file_says_that_it_is_one(tmp_path: Path) -> None:
    engines = {name: GOOD[name] for name in environment.ENGINES}
    checkout_in(tmp_path)
    (tmp_path / ".env").write_text(as_file({**EXPLICIT, **engines}), encoding="utf-8")
    assert chosen(tmp_path, "celery", {}) == (environment.DEVELOPMENT, "db.test")


def test_with_nothing_set_a_developer_gets_engines_of_its_own_and_the_web_server_is_refused(tmp_path: Path) -> None:
    checkout_in(tmp_path)
    nothing = {"GATEHOUSE_DATA_DIR": str(tmp_path / "data"), "DJANGO_SETTINGS_MODULE": ""}
    try:
        assert chosen(tmp_path, "celery", nothing)[0] == environment.DEVELOPMENT
        module, why = chosen(tmp_path, "wsgi", nothing)
        assert (module, "DATABASE_URL is missing" in why) == ("refused", True)
    finally:
        run({}, "-m", "config.embedded", "stop", str(tmp_path / "data"))


def test_the_demo_asks_before_it_uses_an_engine_that_the_environment_names(tmp_path: Path) -> None:
    """`make demo` in a shell that knows an installation's DATABASE_URL would migrate it, and add an operator."""
    result = run({"DATABASE_URL": GOOD["DATABASE_URL"], "GATEHOUSE_DATA_DIR": str(tmp_path)}, "-m", "demo")
    assert (result.returncode, "DATABASE_URL" in result.stderr, environment.DEVELOPMENT in result.stderr) == (
        1,
        True,
        True,
    )
    assert "Traceback" not in result.stderr
