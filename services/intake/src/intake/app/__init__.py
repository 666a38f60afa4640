"""Intake's use cases: live contacts with what follows them, and imports of the past."""
