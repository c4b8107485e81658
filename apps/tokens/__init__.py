"""Tokens and sessions: mint, verify, refresh, revoke."""
