#!/usr/bin/env python
"""Gatehouse's command line. `./manage.py help` lists the commands."""

import os
import sys

# Commands that must work where nothing is configured yet: they read neither secrets nor engines.
UNCONFIGURED_COMMANDS = {"generate_env"}


def main() -> None:
    try:
        from django.core.management import execute_from_command_line

        from config import environment
    except ImportError as error:
        raise SystemExit(
            "Django is not installed here. Run `make demo` or `make test`, which set everything "
            "up in .venv, and use .venv/bin/python manage.py."
        ) from error
    if len(sys.argv) > 1 and sys.argv[1] in UNCONFIGURED_COMMANDS:
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.bare"
    else:
        environment.choose_settings()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
