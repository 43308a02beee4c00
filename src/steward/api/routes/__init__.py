"""One file per area of the console; today the plain pages."""
