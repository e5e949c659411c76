"""The sale: basket, pricing, tender, settlement, the finished retail transaction, its receipt."""
