"""Just enough for commands that must work where nothing is configured yet (`generate_env`). Reads nothing, holds nothing."""

INSTALLED_APPS = ["apps.core"]
USE_TZ = True
