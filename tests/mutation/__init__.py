"""Mutation check of the pricing engine: how many small wrongs do its tests notice?"""
