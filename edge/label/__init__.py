"""Shelf labels: which have to change, when, and on what they are printed."""
