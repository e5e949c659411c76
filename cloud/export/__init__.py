"""Sales for accountants and BI: POSLog documents and JSON lines, streamed from the journal."""
