"""Finds the articles that help with a request."""
