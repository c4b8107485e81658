"""Settings that the Django peers share: startproject's, with PostgreSQL, and mail that goes nowhere.

Connections are kept, as Django's deployment checklist recommends. That no mail is sent favours the peers, which would
send it by SMTP within the request; Gatehouse writes each mail to its outbox, in the transaction of the request.
"""

import os
from urllib.parse import parse_qs, urlsplit

from benchmarks.bare.startproject import *  # noqa: F403  (settings modules extend one another this way)

_url = urlsplit(os.environ["DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": parse_qs(_url.query)["host"][0],
        "USER": _url.username,
        "NAME": _url.path.removeprefix("/"),
        "CONN_MAX_AGE": 60,
    }
}
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
