"""Sealed backups of the database and of the boxes: made, kept for a while, restored to a time."""
