"""The HTTP door: everything under `/v1` for whoever holds an API key, and plain pages without JavaScript.

Promises      every route asks for a key with its scope and says what it answers in `/v1/openapi.json`; an error is a
              problem document with a stable code; every page works without scripts, by keyboard.
Never         believes a body about who asks; listens beyond loopback unless told; approves anything by GET.
Read next     app.py, then routes/actions.py.
"""

from steward.api.app import create_app, openapi

__all__ = ["create_app", "openapi"]
