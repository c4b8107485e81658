"""Tests of the admin, whose pages are all loaded: some are asked for by what is registered."""

import config.admin_urls  # noqa: F401
