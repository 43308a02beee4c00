"""A refund agent as a LangGraph graph that acts only through Steward's typed client.

Two nodes: the model says what to propose, and `act` proposes it; the answer with its reasons goes back to the model
until it has nothing more to propose. The client's key may propose and read, nothing else.

    steward up
    STEWARD_API_KEY=... OPENAI_API_KEY=... python examples/langgraph_refunds.py "Refund 12.50 GBP of order 536365"

STEWARD_URL and OPENAI_BASE_URL name other servers, `examples/scripted_model.py` for one.
"""

import json
import operator
import os
import sys
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from openai import OpenAI

from steward_client import ApiError, Client

BRIEF = """You handle refund requests of a shop. Call propose_action once with kind refund.issue and the request's own
id as the key. Answer with the outcome and its reasons. You cannot approve anything."""
TOOL = {
    "type": "function",
    "function": {
        "name": "propose_action",
        "description": "Propose an action; it is answered with what became of it, and why.",
        "parameters": {
            "type": "object",
            "required": ["key", "kind", "params"],
            "properties": {
                "key": {"type": "string"},
                "kind": {"type": "string", "enum": ["refund.issue"]},
                "params": {"type": "object"},
                "why": {"type": "string"},
            },
        },
    },
}


class State(TypedDict):
    """What was said so far."""

    messages: Annotated[list[dict], operator.add]


def graph(account, steward):
    """The two nodes over an OpenAI-compatible account and a Steward client."""

    def think(state):
        answer = account.chat.completions.create(
            model=os.environ.get("MODEL", "gpt-5"), messages=state["messages"], tools=[TOOL]
        )
        return {"messages": [answer.choices[0].message.model_dump(exclude_none=True)]}

    def act(state):
        return {"messages": [told(call, steward) for call in state["messages"][-1]["tool_calls"]]}

    def goes_on(state):
        return "act" if state["messages"][-1].get("tool_calls") else END

    made = StateGraph(State)
    made.add_node("think", think)
    made.add_node("act", act)
    made.add_edge(START, "think")
    made.add_conditional_edges("think", goes_on, ["act", END])
    made.add_edge("act", "think")
    return made.compile()


def told(call, steward):
    """One call of the model, proposed; what cannot be read is told to the model like a refusal."""
    try:
        wish = json.loads(call["function"]["arguments"])
        answer = steward.propose(wish["kind"], wish["params"], key=wish["key"], why=wish.get("why", "")).raw
    except (ValueError, KeyError, TypeError) as error:
        answer = {"error": f"the arguments cannot be read: {error}"}
    except ApiError as error:
        answer = error.problem
    return {"role": "tool", "tool_call_id": call["id"], "content": json.dumps(answer)}


def main(request):
    messages = [{"role": "system", "content": BRIEF}, {"role": "user", "content": request}]
    address = os.environ.get("STEWARD_URL", "http://127.0.0.1:7107")
    with OpenAI() as account, Client(address, os.environ["STEWARD_API_KEY"]) as steward:
        done = graph(account, steward).invoke({"messages": messages}, {"recursion_limit": 12})
    return done["messages"][-1]["content"]


if __name__ == "__main__":
    print(main(" ".join(sys.argv[1:])))
