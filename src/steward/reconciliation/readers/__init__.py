"""Files as finance teams get them -> `Reading`, one module for each provider or format."""
