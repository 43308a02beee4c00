"""What is owed, what a statement is called, whether a name is on a list. Pure."""
