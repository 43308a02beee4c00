"""GraphQL: parsed and validated by graphql-core, priced before it runs, answered with what it cost."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    IntValueNode,
    OperationDefinitionNode,
    build_schema,
    execute_sync,  # type: ignore[reportUnknownVariableType] - graphql-core leaves its type open
    get_operation_ast,
    parse,
    validate,
)

from livemarket.faces import amounts
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.clock import wall
from livemarket.faces.shapes import an_object
from livemarket.faces.shopify.bucket import Bucket
from livemarket.faces.shopify.cost import Cost
from livemarket.faces.shopify.mutations import Mutations
from livemarket.faces.shopify.nodes import Nodes
from livemarket.faces.shopify.root import Root
from livemarket.faces.shopify.search import NotUnderstood

if TYPE_CHECKING:
    from livemarket.faces.shopify.face import Shopify

MOST, RATE, MOST_FOR_ONE = 2_000, 100, 1_000  # points: the bucket, back in a second, and for one query


def wrong(*errors: Any) -> Answer:
    return answered(200, {"errors": list(errors)})


class Graph:
    """One schema over one shop."""

    def __init__(self, face: Shopify) -> None:
        text = (resources.files("livemarket") / "faces" / "shopify" / "schema.graphql").read_text(encoding="utf-8")
        self.schema = build_schema(text)
        self.bucket = Bucket(MOST, RATE, wall)
        nodes = Nodes(face)
        self._root = Root(face, nodes).fields() | Mutations(face, nodes).fields()

    def throttled(self, requested: int | None = None) -> Answer:
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return answered(200, {"errors": [error], "extensions": {"cost": self._cost(requested, None)}})

    def _cost(self, requested: int | None, actual: int | None) -> dict[str, Any]:
        status = {"maximumAvailable": MOST, "currentlyAvailable": self.bucket.left(), "restoreRate": RATE}
        return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}

    def answer(self, call: Call) -> Answer:
        """What POST graphql.json gets. A document that is wrong costs nothing."""
        try:
            asked = self._asked(call)
            query, name = asked["query"], asked.get("operationName")
            variables: dict[str, Any] = asked.get("variables") or {}
            document = parse(query)
        except (ValueError, KeyError, TypeError) as error:
            return answered(400, {"errors": {"query": f"Required parameter missing or invalid: {error}"}})
        except GraphQLError as error:
            return wrong(error.formatted)
        problems = validate(self.schema, document)
        if problems:
            return wrong(*(problem.formatted for problem in problems))
        operation = get_operation_ast(document, name)
        if operation is None:
            return wrong({"message": "An operation name is required" if not name else f"No operation named {name!r}"})
        return self._priced(document, operation, variables)

    def _asked(self, call: Call) -> dict[str, Any]:
        if call.headers.get("content-type", "").startswith("application/graphql"):
            return {"query": call.body.decode()}
        asked = an_object(amounts.decoded(call.body))
        if asked is None or not isinstance(asked.get("query"), str):
            raise ValueError("query")
        return asked

    def _priced(self, document: DocumentNode, operation: OperationDefinitionNode, variables: dict[str, Any]) -> Answer:
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        usual = {
            d.variable.name.value: int(d.default_value.value)
            for d in operation.variable_definitions or ()
            if isinstance(d.default_value, IntValueNode)
        }
        cost = Cost(self.schema, fragments, usual | variables)
        requested = cost.requested(operation)
        if requested > MOST_FOR_ONE:
            message = f"Query cost is {requested}, which exceeds the single query max cost limit ({MOST_FOR_ONE})."
            more = {"code": "MAX_COST_EXCEEDED", "cost": requested, "maxCost": MOST_FOR_ONE}
            return wrong({"message": message, "extensions": more})
        if not self.bucket.take(requested):
            return self.throttled(requested)
        name = operation.name.value if operation.name else None
        result = execute_sync(
            self.schema, document, root_value=self._root, variable_values=variables, operation_name=name
        )
        for error in result.errors or []:
            if error.original_error is not None and not isinstance(error.original_error, NotUnderstood | GraphQLError):
                raise error.original_error  # our own mistake: nothing to tell the caller as if it were his
        actual = cost.actual(operation, result.data) if result.data is not None else 0
        self.bucket.back(max(requested - actual, 0))
        made: dict[str, Any] = {"data": result.data}
        if result.errors:
            made["errors"] = [error.formatted for error in result.errors]
        return answered(200, made | {"extensions": {"cost": self._cost(requested, actual)}})
