"""The matching cascade and the names of what is left over: pure."""
