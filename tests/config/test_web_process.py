"""A process that serves requests does nothing in vain around them, and still lets go of what it must."""

import subprocess
import sys

import pytest

SERVED = """
import config.wsgi, gc, io
from django.db import connection
def ask():
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/readyz", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
               "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "REMOTE_ADDR": "127.0.0.1"}
    used = []
    def note(execute, *args):
        used.append(connection.health_check_done)
        return execute(*args)
    with connection.execute_wrapper(note):
        config.wsgi.application(environ, lambda *_: None).close()
    return used[0]
"""


ASKED = """
print(gc.get_freeze_count() > 50_000, 'config.urls' in __import__('sys').modules)
usual, connection.settings_dict['CONN_MAX_AGE'] = connection.settings_dict['CONN_MAX_AGE'], 0
ask(); print(connection.connection)
connection.settings_dict['CONN_MAX_AGE'] = usual
for _ in range(2): print(ask(), connection.health_check_done)
"""


@pytest.fixture(scope="module")
def told() -> list[str]:
    """What a process says that has loaded the entry point."""
    done = subprocess.run([sys.executable, "-c", SERVED + ASKED], capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if not line.startswith("{")]


def test_what_is_loaded_at_the_start_is_not_collected_again_and_again(told: list[str]) -> None:
    assert told[0] == "True True"


def test_each_request_checks_its_connection_anew(told: list[str]) -> None:
    """Though nothing is done before it: what the request before has left is to be checked at its first use."""
    assert told[2:] == ["True False"] * 2


def test_a_connection_that_is_too_old_is_closed_at_the_end(told: list[str]) -> None:
    assert told[1] == "None"


NEEDED = """
import sys
import config.wsgi
from django.urls import resolve, reverse
def is_loaded(): return "apps.operators.admin" in sys.modules
reverse("brand-stylesheet", kwargs={"colour": "0f766e"}), reverse("schema"), resolve("/"), resolve("/api/docs")
print(is_loaded())
print(reverse("admin:users_user_changelist") if sys.argv[1] == "link" else resolve("/admin/users/user/").url_name, is_loaded())
"""


@pytest.mark.parametrize(("by", "found"), [("link", "/admin/users/user/"), ("request", "users_user_changelist")])
def test_the_admin_is_loaded_by_who_needs_it(by: str, found: str) -> None:
    """Not by the API, nor by a link from one hosted page to another."""
    done = subprocess.run([sys.executable, "-c", NEEDED, by], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False", f"{found} True"]
