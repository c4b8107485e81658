"""Django's backend for PostgreSQL, but for one thing (`base`): the ENGINE of DATABASES."""
