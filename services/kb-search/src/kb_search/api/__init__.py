"""Kb-search's HTTP edge."""
