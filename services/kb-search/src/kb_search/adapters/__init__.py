"""Kb-search's tables in PostgreSQL."""
