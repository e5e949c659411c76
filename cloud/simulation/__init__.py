"""What a draft of offers would have done: recorded baskets, priced again."""
