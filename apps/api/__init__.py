"""The REST API, and DRF nowhere else: authentication, permissions, envelopes, errors, schema, and a file for each endpoint."""
