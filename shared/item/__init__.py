"""Items and the codes that name them."""
