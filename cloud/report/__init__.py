"""Questions about sales; reads the books and never writes."""
