"""Sealed backups of a box: made on a schedule, read back at once, put into a new box's place."""
