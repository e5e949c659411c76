"""Work items: what people at headquarters have to look at, and what they did about it."""
