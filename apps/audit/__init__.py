"""Append-only audit and security events, and the hash chain that proves that none is missing or altered."""
