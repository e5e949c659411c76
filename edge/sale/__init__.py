"""Selling at a lane."""
