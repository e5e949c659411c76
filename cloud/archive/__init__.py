"""Immutable objects, named by their content."""
