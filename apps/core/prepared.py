"""Cursors for statements that many requests make: PostgreSQL reads and plans each once a connection, and parameters go beside it.

Django's own cursors write the parameters into the statement, whose whole text then is read and planned each time.
"""

from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper


def cursor() -> CursorWrapper:
    """As `connection.cursor()`, of the thread's connection. A parameter whose type is not plain from its place needs a cast."""
    wrapper: Any = connection  # config.postgresql, whatever else Django calls it
    made: CursorWrapper = wrapper.preparing_cursor()
    return made
