#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds our renderer against the real Jinja2: every case of cases/*.yaml, and a seeded random sample on top.

Where Jinja2 gives a text ours must be the same bytes; where Jinja2 fails ours must fail too. Cases under `stricter` are the
documented exceptions: Jinja2 gives a text there and ours must be the named error.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import warnings

import jinja2
import yaml

import random_cases

MINIMUM_CASES = 320
RANDOM_CASES = 50000 if os.environ.get("SENTINEL_CAMPAIGN") else 600


def tojson_as_text(eval_context, value, indent=None):
    """Jinja2's own, but without Markup: ours has no escaped texts (documented in core/template/template.h)."""
    return str(jinja2.filters.do_tojson(eval_context, value, indent))


def environment(includes):
    made = jinja2.Environment(
        loader=jinja2.DictLoader(includes),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        cache_size=0,
    )
    made.filters["tojson"] = jinja2.pass_eval_context(tojson_as_text)
    return made


def jinja_result(case):
    """The text, or None with the reason."""
    try:
        return environment(case["includes"]).from_string(case["template"]).render(case["variables"]), ""
    except Exception as error:  # pylint: disable=broad-except  (templates raise whatever Python raises)
        return None, f"{type(error).__name__}: {error}"


def table_cases(folder):
    """Expands the files' groups: shared variables, and expressions that stand for `{{ expression }}`."""
    for path in sorted(folder.glob("*.yaml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8")):
            shared = {"variables": group.get("variables", {}), "includes": group.get("includes", {})}
            name = f"{path.stem}: {group['group']}"
            for expression in group.get("expressions", []):
                yield {"name": name, "template": "{{ " + str(expression) + " }}", "stricter": None, **shared}
            for template in group.get("templates", []):
                yield {"name": name, "template": template, "stricter": None, **shared}
            for template, code in group.get("stricter", {}).items():
                yield {"name": name, "template": template, "stricter": code, **shared}


def our_results(program, cases):
    sent = [{key: case[key] for key in ("template", "variables", "includes")} for case in cases]
    done = subprocess.run([program], input=json.dumps(sent), capture_output=True, text=True, timeout=240, check=True)
    return json.loads(done.stdout)


def verdict(case, ours):
    """An explanation when the case fails, else None."""
    text, reason = jinja_result(case)
    if case["stricter"]:
        if text is None:
            return f"Jinja2 was expected to give a text, but: {reason}"
        if ours.get("code") != case["stricter"]:
            return f"expected the error {case['stricter']}, got {ours}"
        return None
    if text is None:
        return f"Jinja2 fails ({reason}), ours gives {ours['text']!r}" if "text" in ours else None
    if "Undefined" in text and ours.get("code") in ("template.undefined", "template.unknown-attribute"):
        return None  # Jinja2 prints the word for an undefined element of a list; ours refuses (documented).
    if " object at 0x" in text and ours.get("code") == "template.type":
        return None  # The address of a lazy result, which ours refuses to print (documented).
    if "text" not in ours:
        return f"Jinja2 gives {text!r}, ours fails: {ours['code']}: {ours['message']}"
    if ours["text"] != text:
        return f"Jinja2 gives {text!r}, ours {ours['text']!r}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("oracle", help="the program template_oracle")
    parser.add_argument("--random", type=int, default=RANDOM_CASES, help="number of random cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--all", action="store_true", help="print every failure, not just the first 40")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", SyntaxWarning)  # Python's remarks on what Jinja2 compiles

    written = list(table_cases(pathlib.Path(__file__).parent / "cases"))
    if len(written) < MINIMUM_CASES:
        sys.exit(f"only {len(written)} cases, at least {MINIMUM_CASES} are wanted")
    cases = written + list(random_cases.generate(arguments.random, arguments.seed))
    failures = []
    rendered = 0
    for case, ours in zip(cases, our_results(arguments.oracle, cases), strict=True):
        rendered += "text" in ours
        problem = verdict(case, ours)
        if problem:
            failures.append(f"{case['name']}\n  template {case['template']!r}\n  variables {case['variables']!r}\n  {problem}")
    for failure in failures if arguments.all else failures[:40]:
        print(failure)
    print(f"{len(written)} written and {len(cases) - len(written)} random cases (seed {arguments.seed}), "
          f"{rendered} of them rendered, {len(failures)} failures, Jinja2 {jinja2.__version__}")
    if rendered < len(cases) // 2:
        sys.exit("fewer than half of the cases give a text: the table or the generator is broken")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
