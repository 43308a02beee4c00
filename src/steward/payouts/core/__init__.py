"""What is owed to creators and of bills, what a statement is called, whether a name is on a list. Pure."""
