#!/usr/bin/env python
"""Gatehouse's command line. `./manage.py help` lists the commands."""

import os
import sys
import traceback

# Commands that must work where nothing is configured yet: they read neither secrets nor engines.
UNCONFIGURED_COMMANDS = {"generate_env"}


COULD_NOT_RUN = 2  # 1 is a command's own verdict: of verify_audit_log it means that the log was altered


def main() -> None:
    try:
        from django.core.management import execute_from_command_line

        from apps.core.state import hold_back
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
    try:
        execute_from_command_line(sys.argv)
    finally:
        hold_back.wait()  # what a command has changed holds in every process when it ends


if __name__ == "__main__":
    try:
        main()
    except SystemExit as end:
        if not isinstance(end.code, str):
            raise
        sys.stderr.write(f"{end.code}\n")
        raise SystemExit(COULD_NOT_RUN) from None
    except Exception as crash:
        traceback.print_exc()
        raise SystemExit(COULD_NOT_RUN) from crash
