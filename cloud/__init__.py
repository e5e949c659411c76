"""The head office: masters, publications, ingest, ledger and reports on PostgreSQL."""
