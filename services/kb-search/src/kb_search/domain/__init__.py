"""What Kb-search decides, pure."""
