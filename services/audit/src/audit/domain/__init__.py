"""What audit knows without any I/O: reading records, joining them to histories, summaries, cursors, rows of exports."""
