"""Regular and member prices: effective-dated, never overwritten."""
