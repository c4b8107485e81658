"""Operators' sign-in: password, then a second factor; how often; and the proof before a grave change."""
