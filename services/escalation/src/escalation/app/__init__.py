"""Escalation's use cases."""
