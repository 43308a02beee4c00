"""The other engines, run in an environment of their own (`make rivals`): timings of one rule, or answers to cases.

Reads {"mode": "time", "points", "calls"} or {"mode": "cases", "cases"} as JSON and prints JSON. Each
engine is used at its best: parsed or compiled once, with the facts of each call handed over as plain Python values.
"""

import json
import sys
import time

CEL_RULE = (
    "amount > 0 && refunded + amount <= captured && to == 'original_payment' && count + 1 <= limit_count"
    " && today + amount <= limit_day && (roles.exists(r, r == 'manager') || amount <= limit_manager)"
)
CEDAR_RULE = """permit(principal, action, resource) when {
  context.amount > 0 && context.refunded + context.amount <= context.captured && context.to == "original_payment" &&
  context.count + 1 <= context.limit_count && context.today + context.amount <= context.limit_day &&
  (context.roles.contains("manager") || context.amount <= context.limit_manager)
};"""
REGO_RULE = """package refund
import rego.v1
default allow := false
in_limit if "manager" in input.roles
in_limit if input.amount <= input.limit_manager
allow if {
  input.amount > 0
  input.refunded + input.amount <= input.captured
  input.to == "original_payment"
  input.count + 1 <= input.limit_count
  input.today + input.amount <= input.limit_day
  in_limit
}
"""
REQUEST = {"principal": 'User::"u"', "action": 'Action::"a"', "resource": 'Order::"o"'}


def cel_rust(rule):
    import cel

    program = cel.compile(rule)
    return lambda facts: program.execute(facts) is True


def cel_google(rule, sample):
    from cel_expr_python import cel

    kinds = {bool: cel.Type.BOOL, int: cel.Type.INT, str: cel.Type.STRING, list: cel.Type.List(cel.Type.STRING)}
    env = cel.NewEnv(variables={name: kinds.get(type(value), cel.Type.DYN) for name, value in sample.items()})
    expression = env.compile(rule)
    return lambda facts: expression.eval(data=facts).value() is True


def cel_python(rule):
    import celpy

    environment = celpy.Environment()
    program = environment.program(environment.compile(rule))
    return lambda facts: bool(program.evaluate(celpy.json_to_cel(facts)))


def cedar(rule):
    import cedarpy

    policies, entities = cedarpy.PolicySet.from_str(rule), cedarpy.Entities.from_json_str("[]")
    return lambda facts: cedarpy.is_authorized({**REQUEST, "context": facts}, policies, entities).allowed


def rego(rule):
    """A bundle planned once; the interpreter's `query` parses its text at every call."""
    import regopy

    interpreter = regopy.Interpreter()
    interpreter.add_module("refund.rego", rule)
    bundle = interpreter.build(None, ["refund/allow"])

    def run(facts):
        interpreter.set_input(facts)
        output = interpreter.query_bundle_entrypoint(bundle, "refund/allow")
        return json.loads(str(output)) == [True] if str(output).startswith("[") else _rego_true(output)

    return run


def _rego_true(output):
    document = json.loads(str(output))
    found = document.get("expressions", [document]) if isinstance(document, dict) else document
    return found == [True] or found is True


def engines(sample, cel_rule, cedar_rule, rego_rule):
    return {
        "cel (common-expression-language, Rust)": lambda: cel_rust(cel_rule),
        "cel (cel-expr-python, Google's C++)": lambda: cel_google(cel_rule, sample),
        "cel (cel-python)": lambda: cel_python(cel_rule),
        "cedarpy": lambda: cedar(cedar_rule),
        "regopy (rego-cpp)": lambda: rego(rego_rule),
    }


def timed(points, calls):
    found = {}
    for name, make in engines(points[0], CEL_RULE, CEDAR_RULE, REGO_RULE).items():
        run = make()
        answers = [bool(run(point)) for point in points]
        wanted = calls if "cel-python" not in name and "rego" not in name else max(1, calls // 10)
        start = time.process_time()
        for number in range(wanted):
            run(points[number % len(points)])
        found[name] = {"us": (time.process_time() - start) / wanted * 1e6, "answers": answers}
    return found


def answered(case):
    """What each engine says of a case it has a text for: allowed, refused, or the error."""
    found = {}
    rules = (case.get("cel"), case.get("cedar"), case.get("rego"))
    for name, make in engines(case["facts"], *rules).items():
        if (
            (name.startswith("cel ") and not rules[0])
            or (name == "cedarpy" and not rules[1])
            or ("rego" in name and not rules[2])
        ):
            continue
        try:
            found[name] = "allowed" if make()(case["facts"]) else "refused"
        except Exception as error:  # noqa: BLE001 - whatever an engine raises is its answer
            found[name] = f"error: {type(error).__name__}"
    return found


def main():
    asked = json.loads(sys.stdin.read())
    if asked["mode"] == "time":
        print(json.dumps(timed(asked["points"], asked["calls"])))
    else:
        print(json.dumps([answered(case) for case in asked["cases"]]))


if __name__ == "__main__":
    main()
