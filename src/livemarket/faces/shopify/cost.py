"""What a query costs: an object 1, a scalar 0, a connection 2 and its objects, a mutation 10 and what it returns.

These are the published rules; the provider's own counting has exceptions that are not published, so its numbers may
differ from ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)
from graphql.language import FragmentSpreadNode, InlineFragmentNode

Holder = GraphQLObjectType | GraphQLInterfaceType
MUTATION, CONNECTION = 10, 2


def _name(kind: Any) -> str:
    """A type's name without its brackets and marks."""
    return str(kind).strip("[]!")


class Cost:
    """Of one operation: as it was asked for, or by the data that came out."""

    def __init__(
        self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode], variables: dict[str, Any]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables

    def requested(self, operation: OperationDefinitionNode) -> int:
        return self._root(operation, None, asked=True)

    def actual(self, operation: OperationDefinitionNode, data: Any) -> int:
        return self._root(operation, data, asked=False)

    def _root(self, operation: OperationDefinitionNode, data: Any, *, asked: bool) -> int:
        changes = operation.operation == OperationType.MUTATION
        holder = self._schema.mutation_type if changes else self._schema.query_type
        if holder is None:
            raise TypeError("the schema has no such root")
        fields = sum(1 for _ in self._fields(holder, operation.selection_set))
        inside = self._inside(holder, operation.selection_set, data, asked=asked)
        return inside + fields * MUTATION if changes else max(inside, 1)

    def _fields(self, holder: Holder, selections: SelectionSetNode) -> Iterator[tuple[FieldNode, Holder]]:
        """The fields of a selection, fragments opened."""
        for node in selections.selections:
            if isinstance(node, FieldNode):
                if not node.name.value.startswith("__"):
                    yield node, holder
                continue
            condition, inner = None, None
            if isinstance(node, InlineFragmentNode):
                condition, inner = node.type_condition, node.selection_set
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                condition, inner = fragment.type_condition, fragment.selection_set
            if inner is None:
                continue
            named = self._schema.type_map[condition.name.value] if condition else holder
            if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
                yield from self._fields(named, inner)

    def _inside(self, holder: Holder, selections: SelectionSetNode, data: Any, *, asked: bool) -> int:
        """The objects below one object. `data` is what came out; if `asked`, nothing has yet."""
        total = 0
        for node, owner in self._fields(holder, selections):
            kind: Any = owner.fields[node.name.value].type
            named = self._schema.type_map[_name(kind)]
            if node.selection_set is None or not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
                continue
            value: Any = None if asked else data.get(node.alias.value if node.alias else node.name.value)
            if not asked and value is None:
                continue
            if named.name.endswith("Connection"):
                total += CONNECTION + self._connection(node, named, node.selection_set, value, asked=asked)
                continue
            several = str(kind).startswith("[")
            if asked:  # multiplied, not walked: a nested query may ask for billions
                each = 1 + self._inside(named, node.selection_set, None, asked=True)
                total += each * (self._size(node, 1) if several else 1)
                continue
            items: list[Any] = [item for item in value if item is not None] if several else [value]
            total += sum(1 + self._inside(named, node.selection_set, item, asked=False) for item in items)
        return total

    def _connection(self, node: FieldNode, named: Holder, inner: SelectionSetNode, value: Any, *, asked: bool) -> int:
        """The objects of a connection; edges and pageInfo cost nothing."""
        total = 0
        for field, owner in self._fields(named, inner):
            name = field.name.value
            if name not in {"edges", "nodes"} or field.selection_set is None:
                continue
            edge = self._schema.type_map[_name(owner.fields[name].type)]
            if not isinstance(edge, GraphQLObjectType):
                continue
            itself = 1 if name == "nodes" else 0  # an edge costs nothing, the node in it does
            if asked:
                each = itself + self._inside(edge, field.selection_set, None, asked=True)
                total += each * self._size(node, 0)
                continue
            items: list[Any] = value[field.alias.value if field.alias else name]
            total += sum(itself + self._inside(edge, field.selection_set, item, asked=False) for item in items)
        return total

    def _size(self, node: FieldNode, otherwise: int) -> int:
        """How many were asked for."""
        for argument in node.arguments or ():
            if argument.name.value not in {"first", "last"}:
                continue
            value = argument.value
            if isinstance(value, IntValueNode):
                return min(int(value.value), 250)
            if isinstance(value, VariableNode):
                given = self._variables.get(value.name.value)
                if isinstance(given, int):
                    return min(max(given, 0), 250)
        return otherwise
