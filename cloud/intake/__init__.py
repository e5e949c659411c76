"""Tables of items and prices that are looked at before they are taken over."""
