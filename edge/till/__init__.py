"""The store's business day and its Z report."""
