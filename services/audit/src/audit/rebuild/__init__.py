"""Makes the projection anew from the log, beside the live one, and then takes its place."""
