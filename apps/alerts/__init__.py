"""Alerts: rules with a threshold, looked at twice a minute; who is told once, and acknowledges."""
