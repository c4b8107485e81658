"""The two encrypted envelopes, the file stream, and the service's own keys."""
