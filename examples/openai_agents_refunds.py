"""A refund agent on the OpenAI Agents SDK that acts only through Steward's MCP server.

It reads the limits, proposes a refund, and tells what became of it. Whatever its model writes, the rules decide, and
what a person has to decide waits for a person: the server has no tool that approves.

    steward mcp --http 7108
    STEWARD_API_KEY=... OPENAI_API_KEY=... python examples/openai_agents_refunds.py "Refund 12.50 GBP of order 536365"

STEWARD_MCP_URL and OPENAI_BASE_URL name other servers, `examples/scripted_model.py` for one.
"""

import asyncio
import os
import sys

from agents import Agent, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from agents.mcp import MCPServerStreamableHttp
from openai import AsyncOpenAI

BRIEF = """You handle refund requests of a shop. Look up what you need, then call propose_action once with kind
refund.issue. Use the request's own id as the key, so that the same request is never refunded twice. Answer with the
outcome and its reasons. You cannot approve anything; if the outcome is held, say that a person will decide."""


async def main(request):
    set_tracing_disabled(True)  # nothing goes anywhere but to the model and to Steward
    steward = MCPServerStreamableHttp(
        {
            "url": os.environ.get("STEWARD_MCP_URL", "http://127.0.0.1:7108/mcp"),
            "headers": {"Authorization": f"Bearer {os.environ['STEWARD_API_KEY']}"},
        },
        cache_tools_list=True,
        client_session_timeout_seconds=30,
    )
    async with steward, AsyncOpenAI() as account:
        model = OpenAIChatCompletionsModel(os.environ.get("MODEL", "gpt-5"), account)
        agent = Agent("refunds", instructions=BRIEF, model=model, mcp_servers=[steward])
        done = await Runner.run(agent, request, max_turns=10)
    return done.final_output


if __name__ == "__main__":
    print(asyncio.run(main(" ".join(sys.argv[1:]))))
