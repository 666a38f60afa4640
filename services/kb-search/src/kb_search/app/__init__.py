"""Kb-search's use cases."""
