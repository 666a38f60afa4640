"""Router's use cases."""
