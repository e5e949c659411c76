"""Bytes on the wire: topics, messages, batches, objects. The only room that knows pydantic."""
