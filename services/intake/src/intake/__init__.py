"""Intake: takes contacts in and says whether each is new, a retry, or a continuation."""
