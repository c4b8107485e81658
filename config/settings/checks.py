"""Static checks (mypy, missing migrations): the same applications and models, but nothing is started, and the keys protect nothing."""

from config import development_keys, environment
from config.settings.base import *  # noqa: F403  (settings modules extend one another this way)
from config.settings.base import use_engines

_keys = development_keys.generate()
SECRET_KEY = _keys["SECRET_KEY"]
MASTER_KEYS = environment.parse_master_keys(_keys["MASTER_KEYS"])
SERVICE_ENCRYPTION_KEY = _keys["SERVICE_ENCRYPTION_KEY"]

globals().update(use_engines(database_url="postgresql://nobody@localhost/none", redis_url="redis://localhost:1/0"))
