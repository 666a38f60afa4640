"""Router's tables in PostgreSQL."""
