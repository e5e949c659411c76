"""Operators of the stores: who may sell, and with what PIN."""
