"""The demo: a chain on one machine, fed with real receipts."""
