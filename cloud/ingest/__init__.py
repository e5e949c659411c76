"""Journal batches from the boxes: verified, stored once, acknowledged after the commit."""
