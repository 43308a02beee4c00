"""The door for language models: reading tools and one that proposes, over the Model Context Protocol.

Promises      who asks is the API key, on every call; a proposal goes down the same spine as any agent's and is answered
              with reasons; the same key is the same action.
Never         approves, rejects, lifts a kill switch or makes a key: there is no such tool, whatever the key may do.
Read next     tools.py, then serving.py.
"""

from steward.mcp.serving import serve_http, serve_stdio
from steward.mcp.tools import TOOLS

__all__ = ["TOOLS", "serve_http", "serve_stdio"]
