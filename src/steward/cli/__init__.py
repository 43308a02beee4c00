"""The command line: every door, for a person or a script.

Promises      one JSON document on stdout with --json and logs on stderr; exit codes 0 done, 1 the answer is "no",
              2 unusable input, 3 infrastructure; --help in well under a second.
Never         decides anything itself; prints a secret.
Read next     main.py, then demo.py.
"""
