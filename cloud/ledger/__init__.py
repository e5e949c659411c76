"""The books: sales, postings that add up to nought, and the boxes' own day closes."""
