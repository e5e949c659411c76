"""The till pages over HTTPS: whose certificate, how tablets trust it, and when it is new."""
