"""The till: business day, Z report."""
