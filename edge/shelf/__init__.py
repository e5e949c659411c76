"""Shelves: what lies there against what the book says, cold places, and the tasks of both."""
