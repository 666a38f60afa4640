"""What Router decides, pure."""
