"""What Escalation decides, pure."""
