"""A server that speaks the dialect of OpenAI's chat completions and answers from a script, so that an agent can be run
without an account and gives the same run every time.

It is no model: each turn is a tool call that is written down beforehand, or a closing text. Run it with a file of
turns, one JSON object a line: {"tool": "propose_action", "arguments": {...}} or {"say": "..."}.

    python examples/scripted_model.py turns.jsonl 8089
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MOST_BODY = 8 << 20


class Answering(BaseHTTPRequestHandler):
    """One request of an agent; the turn is the number of tool results it brings."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > MOST_BODY:
            self.send_error(413)
            return
        request = json.loads(self.rfile.read(length))
        self.server.requests.append(request)
        turn = self.server.turns[min(len(self.server.requests), len(self.server.turns)) - 1]
        body = json.dumps(completion(turn, len(self.server.requests), request.get("tools", []))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


def completion(turn, number, tools):
    """A chat completion with one tool call, or with a text. An agent that gives a tool a prefix gets it back."""
    if "say" in turn:
        message, reason = {"role": "assistant", "content": turn["say"]}, "stop"
    else:
        offered = [tool["function"]["name"] for tool in tools]
        name = next((one for one in offered if one.endswith(turn["tool"])), turn["tool"])
        call = {"name": name, "arguments": json.dumps(turn["arguments"])}
        calls = [{"id": f"call_{number}", "type": "function", "function": call}]
        message, reason = {"role": "assistant", "content": None, "tool_calls": calls}, "tool_calls"
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


class ScriptedModel:
    """The server in a thread: `url` is its base address, `requests` what agents sent."""

    def __init__(self, turns, port=0):
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Answering)
        self._server.turns, self._server.requests = list(turns), []
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def requests(self):
        return self._server.requests

    @property
    def results(self):
        """What tools answered, as the agent told the model: text, in order."""
        if not self.requests:
            return []
        return [as_text(one["content"]) for one in self.requests[-1]["messages"] if one["role"] == "tool"]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def as_text(content):
    """A message's content, whichever form the agent gives it."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    with ScriptedModel([json.loads(line) for line in lines], int(sys.argv[2])) as served:
        print(served.url, flush=True)
        threading.Event().wait()
