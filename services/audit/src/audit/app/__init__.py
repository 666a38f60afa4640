"""Audit's use cases: taking the log in, and answering from it. What they need of the outside are the ports."""
