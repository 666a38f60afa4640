"""The chassis's fixtures."""

from tests.support.chassis import chassis_url, db, make_settings

__all__ = ["chassis_url", "db", "make_settings"]
