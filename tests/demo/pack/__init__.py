"""The demo's input data: real receipts, found ready-made or built from public data."""
