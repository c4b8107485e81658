"""Gatehouse itself, as the jobs measure it: production's settings, behind a proxy that it trusts."""
