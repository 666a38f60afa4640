"""What escalation decides, pure: promises and their clocks, business time, and which tier comes next."""
