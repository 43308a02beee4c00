"""Pure parts of ingestion: reading rows, and saying what each document is."""
