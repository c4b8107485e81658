"""A user's page."""
