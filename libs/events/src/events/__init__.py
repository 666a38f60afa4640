"""Throughline's events: models, catalogue, codec and lifecycle. Pure: no I/O, no clock, no random numbers."""
