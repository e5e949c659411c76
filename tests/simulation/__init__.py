"""Boxes and their cloud in virtual time, every fault we know of, all replayable from a number."""
