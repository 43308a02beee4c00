"""What an author most likely meant where a formula cannot be read: the way out that a message names.

People write what they know from other languages. Each word or sign here is one of those, with what this language has.
"""

from __future__ import annotations

import difflib
import re

# Signs of other languages that are read as operators; longer ones first, so that ** is not taken for *.
INSTEAD = {
    "==": "write =",
    "&&": "write and",
    "||": "write or",
    "**": "write x * x",
    "//": "write floor(x / y)",
    "->": "write implies",
    "<>": "write !=",
    "=>": "write implies, or >=",
    "=<": "write <=",
    "!": "write not",
    "%": "write 15% as 0.15; there is no remainder",
    "^": "write x * x",
    "&": "write and",
    "|": "write or",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    "\N{MULTIPLICATION SIGN}": "write *",
    "÷": "write /",
    "\N{MINUS SIGN}": "write -",
}
NO_INDEX = "a list has no index: write all(x in LIST: ...) or any(x in LIST: ...)"
_SIGNS = {
    **dict.fromkeys(
        "“”„«»\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}", 'text stands between " and "'
    ),
    **dict.fromkeys("£$€¥", "write an amount as GBP 12.50"),
    ";": "a rule is one formula: join its parts with and",
    "?": "write if CONDITION then A else B",
}
_INSTEAD_OF_WORD = {
    "is": "write =",
    "equals": "write =",
    "like": 'write matches(TEXT, "PATTERN")',
    "contains": 'write "a" in SET, or matches(TEXT, "PATTERN")',
    "between": "write a <= x and x <= b",
    "xor": "write !=",
    "mod": "there is no remainder",
    "unless": "write A or B",
    "where": "write all(x in LIST: A implies B)",
    "exists": "write any(x in LIST: ...)",
    "for": "write all(x in LIST: ...)",
    "let": "there are no names of your own: write the part out where it is used",
}
_FUNCTIONS = {
    "round": "write floor(x + 0.5)",
    "ceil": "write -floor(-x)",
    "trunc": "write floor(x)",
    "pow": "write x * x",
    **dict.fromkeys(("len", "length", "size"), "write count(x in LIST: true); text has no length but a pattern's"),
    **dict.fromkeys(("avg", "average", "mean"), "write sum(x in LIST: ...) / count(x in LIST: true)"),
    **dict.fromkeys(("exists", "some"), "write any(x in LIST: ...)"),
    **dict.fromkeys(("forall", "every"), "write all(x in LIST: ...)"),
    **dict.fromkeys(("has", "defined", "isnull", "coalesce"), "a fact that is missing escalates by itself"),
    **dict.fromkeys(("contains", "startswith", "endswith", "regex", "like"), 'write matches(TEXT, "PATTERN")'),
    **dict.fromkeys(("lower", "upper", "trim", "concat", "substr"), "text is not cut or joined; matches ignores case"),
    **dict.fromkeys(("date", "time", "datetime", "timestamp"), "times are facts, or now, or counted from one"),
    **dict.fromkeys(("seconds", "minutes", "hours", "days"), "write a duration as 90s, 15m, 24h or 30d"),
}
_UNITS = {
    **dict.fromkeys(("second", "seconds", "sec", "secs"), "s"),
    **dict.fromkeys(("minute", "minutes", "min", "mins"), "m"),
    **dict.fromkeys(("hour", "hours", "hr", "hrs"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("week", "weeks"), "w"),
}
_FOLDED = ("all", "any", "count", "sum", "min", "max")


def of_sign(sign: str, before: str, after: str) -> str:
    """Of a sign that is not part of the language, between what stands before and after it."""
    if sign == ".":
        return (
            NO_INDEX if before == "]" else "write 0.5" if after.isdigit() else "a name is order.captured, a number 0.5"
        )
    return _SIGNS.get(sign, "there are + - * / = != < <= > >= ( ) { } , and :")


def of_function(name: str, known: tuple[str, ...]) -> str:
    """Of a function there is not."""
    if name.lower() in _FUNCTIONS:
        return _FUNCTIONS[name.lower()]
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(dict.fromkeys(known))}"


def of_number(text: str) -> str:
    """Of what begins like a number and is none."""
    if re.match(r"[0-9]+T[0-9]", text):
        return "times are not written out: declare a fact of type time, or count from now, such as now - 30d"
    digits = re.match(r"[0-9]+", text)
    rest = text[digits.end() :].strip() if digits else ""
    unit = _unit(rest)
    if digits and unit:
        return f"write {digits[0]}{unit}"
    if re.fullmatch(r"[0-9][0-9_']*[0-9]", text):
        return f"write {re.sub('[^0-9]', '', text)}, without separators"
    return "numbers are 12 or 0.5, durations 24h or 30d, money GBP 12.50"


def _unit(word: str) -> str:
    return _UNITS.get(word.lower(), word.lower() if word.lower() in tuple("smhdw") else "")


def of_extra(before: tuple[str, str], found: tuple[str, str]) -> str:
    """Of a token after which a formula could have ended; each token is its kind and its text."""
    kind, text = found
    if before[0] == "number" and kind == "name":
        if _unit(text):
            return f"write {before[1]}{_unit(text)}"
        if re.fullmatch("[A-Z]{3}", text):
            return f"write {text} {before[1]}"
    if before[0] in ("number", "money") and text == ",":
        return "write numbers without separators, such as 1000"
    if kind == "name" and before[1] in _FOLDED:
        return f"write {before[1]}({text} in LIST: ...)"
    if kind == "name" or before[1] in _INSTEAD_OF_WORD:
        known = _INSTEAD_OF_WORD.get(text) or _INSTEAD_OF_WORD.get(before[1])
        return known or f"an operator is missing before {text}"
    if text == ")":
        return "it closes no ("
    if text == "[":
        return NO_INDEX
    return f"an operator is missing before {text}" if kind in ("number", "money", "duration", "text") else ""


def of_word(word: str) -> str:
    """Of a word of the language where a value was expected."""
    if word in ("if", "not"):
        return f"put the {word} in ( )"
    if word in ("then", "else"):
        return "if CONDITION then A else B"
    return f"write x {word} SET" if word == "in" else f"write A {word} B"


def of_not(found: str) -> str:
    """Of a `not` between two values that no `in` follows."""
    turned = {"=": "!=", "<": ">=", "<=": ">", ">": "<=", ">=": "<", "!=": "="}
    return f"write {turned[found]}" if found in turned else "write x not in SET, or not before the comparison"


def both(first: str, second: str) -> str:
    return f"{first}; or {second}" if first and second else first or second
