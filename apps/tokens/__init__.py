"""Tokens and sessions: mint, verify, refresh, revoke; who is signed in."""
