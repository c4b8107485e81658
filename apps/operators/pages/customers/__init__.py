"""A customer's page."""
