"""Shelves and cold places of all stores: what their journals tell of them."""
