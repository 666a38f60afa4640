"""Intake's tables in PostgreSQL."""
