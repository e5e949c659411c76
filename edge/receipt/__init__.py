"""Receipts of the box: text first, then bytes for the printer, and the spool of print jobs."""
