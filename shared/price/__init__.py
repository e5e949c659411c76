"""Prices: dated price book, and the rules that derive what a customer pays."""
