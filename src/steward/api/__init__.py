"""The HTTP door: today four plain pages without JavaScript, read-only, on the loopback interface.

Promises      every page works without scripts, by keyboard, in both colour schemes; every figure says as of when.
Never         changes anything; listens beyond loopback unless told; shows what it does not know as if it did.
Read next     app.py, then routes/pages.py.
"""
