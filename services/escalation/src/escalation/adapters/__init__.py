"""Escalation's tables in PostgreSQL."""
