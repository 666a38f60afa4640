"""Router's HTTP edge."""
