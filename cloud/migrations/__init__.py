"""Schema of the cloud's database: forward only, each step with an after-check.

A step expands (new tables, new nullable columns), a later release contracts. There is no
`downgrade`: going back is a new step. Each step runs in one transaction with its check.
"""
