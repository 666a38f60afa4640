"""Watches promises, and decides when a higher tier must help."""
