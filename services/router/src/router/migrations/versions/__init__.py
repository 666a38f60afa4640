"""Router's schema, revision by revision; the environment is the chassis's."""
