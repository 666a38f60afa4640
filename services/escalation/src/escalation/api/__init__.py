"""Escalation's HTTP edge."""
