"""Django's backend for PostgreSQL, but for two things (`base`): the ENGINE of DATABASES."""
