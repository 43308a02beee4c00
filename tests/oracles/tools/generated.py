"""Arguments from a JSON Schema, without chance: the least and the most that fit; and changes of them, by a seed."""

import copy
import re
from re import _constants as codes  # the parts of a parsed pattern have no other name
from re import _parser as parser

WORDS = "a1Z0bc2dE3"


def text_of(pattern):
    """A text that a pattern accepts, or None where it asks for more than a generator of this size can."""
    out = []

    def put(parts):
        for op, value in parts:
            if op is codes.LITERAL:
                out.append(chr(value))
            elif op is codes.NOT_LITERAL:
                out.append("a" if value != ord("a") else "b")
            elif op is codes.ANY:
                out.append("a")
            elif op is codes.IN:
                out.append(chosen(value))
            elif op in (codes.MAX_REPEAT, codes.MIN_REPEAT):
                low, high, part = value
                for _ in range(min(max(low, 1), high)):
                    put(part)
            elif op is codes.SUBPATTERN:
                put(value[-1])
            elif op is codes.BRANCH:
                put(value[1][0])

    put(parser.parse(pattern))
    made = "".join(out)
    return made if re.search(pattern, made) else None


def chosen(options):
    test = re.compile("a")
    negated = options[0][0] is codes.NEGATE
    for letter in "a1A0_- .:/@+bcd" if negated else "":
        if not any(holds(option, letter) for option in options[1:]):
            return letter
    for op, value in options:
        if op is codes.LITERAL:
            return chr(value)
        if op is codes.RANGE:
            return chr(value[0])
        if op is codes.CATEGORY:
            return {codes.CATEGORY_DIGIT: "1", codes.CATEGORY_WORD: "a", codes.CATEGORY_SPACE: " "}.get(value, "a")
    return test.pattern


def holds(option, letter):
    op, value = option
    if op is codes.LITERAL:
        return chr(value) == letter
    if op is codes.RANGE:
        return value[0] <= ord(letter) <= value[1]
    if op is codes.CATEGORY:
        return {codes.CATEGORY_DIGIT: letter.isdigit(), codes.CATEGORY_SPACE: letter.isspace()}.get(value, False)
    return False


def least(schema, hint=None):
    """The smallest value that fits; `hint` is a value known to fit, for what cannot be derived."""
    return value_of(schema, hint, is_most=False)


def most(schema, hint=None):
    """A value with every argument there is."""
    return value_of(schema, hint, is_most=True)


def value_of(schema, hint, *, is_most):
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][-1 if is_most else 0]
    kind = schema.get("type")
    if kind == "object":
        return object_of(schema, hint if isinstance(hint, dict) else {}, is_most=is_most)
    if kind == "array":
        size = max(schema.get("minItems", 0), 1)
        inner = hint[0] if isinstance(hint, list) and hint else None
        if schema.get("uniqueItems") and size > 1:
            return hint
        return [value_of(schema.get("items", {}), inner, is_most=is_most) for _ in range(size)]
    if kind in ("integer", "number"):
        return schema.get("maximum", 1) if is_most else schema.get("minimum", 1)
    if kind == "boolean":
        return is_most
    return string_of(schema, hint)


def object_of(schema, hint, *, is_most):
    needed = set(schema.get("required", []))
    for branch in (schema.get("oneOf") or schema.get("anyOf") or [])[:1]:
        needed |= set(branch.get("required", []))
    others = {
        name for branch in (schema.get("oneOf") or [])[1:] for name in branch.get("required", []) if name not in needed
    }
    names = schema.get("properties", {})
    wanted = [n for n in names if n in needed or (is_most and n not in others)]
    return {name: value_of(names[name], hint.get(name), is_most=is_most) for name in wanted}


def string_of(schema, hint):
    if "pattern" in schema:
        made = text_of(schema["pattern"])
        low = schema.get("minLength", 0)
        return made if made is not None and low <= len(made) <= schema.get("maxLength", 10**6) else hint
    if "format" in schema:
        return hint
    low = max(schema.get("minLength", 1), 1)
    return (WORDS * (low // 10 + 1))[:low]


WRONG = (None, True, -1, 10**14, "", "!", "x" * 6000, [], {}, {"x": [1]}, [None], "\uff21\uff22", 1.5)


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], (*path, index))


def changed(args, random):
    """Arguments with one thing taken away, put in the place of another, or added."""
    made = copy.deepcopy(args)
    paths = [path for path in places(made) if path]
    if not paths:
        return {**made, "an_argument_nobody_knows": 1}
    path = random.choice(paths)
    node = made
    for step in path[:-1]:
        node = node[step]
    how = random.random()
    if how < 0.3:
        del node[path[-1]]
    elif how < 0.9:
        node[path[-1]] = copy.deepcopy(random.choice(WRONG))
    elif isinstance(node[path[-1]], str):
        node[path[-1]] = random.choice((node[path[-1]].swapcase(), node[path[-1]] + "\n", node[path[-1]] * 40))
    else:
        made[f"{path[0]}_"] = 1
    return made
