"""Devices of a lane: scanners, the receipt printer and the cash drawer, real and virtual."""
