"""Receipts as the public may check them: does this one stand, unchanged, in the journal?"""
