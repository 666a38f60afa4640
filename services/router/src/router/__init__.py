"""Brings each request to the right agent: who is offered it, who holds it, and when."""
