"""Words that every room uses: money, quantity, GTIN, ids, time, errors."""
