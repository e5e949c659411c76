"""Journal entries as other software wants them: POSLog documents and flat rows. Pure."""
