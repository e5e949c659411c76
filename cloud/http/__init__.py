"""The rooms over HTTP: one app, one form of errors, one console."""
