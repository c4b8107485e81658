"""Append-only audit and security events, and the hash chain that proves them whole."""
