"""The pure core: everything that decides, run identically in the store and at HQ."""
