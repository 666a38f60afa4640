"""Audit: keeps every record of the log byte for byte and answers from them, exactly."""
