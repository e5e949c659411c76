"""Offers: what head office says about them, version by version."""
