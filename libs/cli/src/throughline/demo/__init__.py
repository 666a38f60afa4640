"""A bank's day, lived on a running stack: customers and agents who act over the API, a table to watch, and a proof."""
