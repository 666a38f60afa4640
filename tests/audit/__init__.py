"""Tests of audit without any server."""
