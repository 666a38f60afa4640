"""What lies outside: PostgreSQL's tables, the keys of personal data."""
