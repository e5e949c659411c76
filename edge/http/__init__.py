"""The box's HTTP API, its event streams, and the till app."""
