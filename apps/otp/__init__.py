"""One-time codes, and sign-in by code."""
