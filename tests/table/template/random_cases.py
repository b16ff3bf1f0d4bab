# SPDX-License-Identifier: Apache-2.0
"""Random templates from a grammar, reproducible by seed. The grammar leaves out what ours refuses on purpose: printing
lazy results, integers beyond 64 bits, printing undefined elements."""
import random

VARIABLES = {
    "n": 7, "m": -3, "z": 0, "f": 2.5, "g": -0.125, "t": True, "u": False, "e": None,
    "s": "Hello World", "q": "it's \"quoted\"\n\tüber", "w": "  spaced  ", "empty": "",
    "xs": [3, 1, 2], "ys": ["b", "A", "c", "a"], "none_list": [], "mixed": [1, "one", None, 2.0, True],
    "d": {"b": 1, "a": "x", "c": [1, 2]}, "empty_dict": {},
    "people": [{"name": "bob", "age": 31, "tags": ["x"]}, {"name": "Alice", "age": 25, "tags": []},
               {"name": "carol", "age": 31, "tags": ["y", "z"]}],
}

NUMBERS = ["n", "m", "z", "f", "g", "t", "1", "2", "10", "0.5", "1e3", "xs[0]", "xs | length", "(xs | sum)", "d.b"]
TEXTS = ["s", "q", "w", "empty", "'a'", "'x-y_z'", "ys[1]", "d.a", "(s | upper)", "s[1:4]", "'%s' % n"]
LISTS = ["xs", "ys", "none_list", "mixed", "[1, 'two', [3]]", "(1, 2)", "s | list", "d.c", "range(4) | list", "xs + [9]",
         "s.split()", "people | map(attribute='name') | list"]
DICTS = ["d", "empty_dict", "{'k': 1, 'l': [2]}", "people[0]", "dict(a=1, b='two')"]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "sequence",
         "iterable", "true", "false", "odd", "even", "divisibleby(2)", "eq 1", "ne 'a'", "in [1, 'a', 2.5]", "lower", "upper"]
TEXT_FILTERS = ["upper", "lower", "title", "capitalize", "trim", "length", "replace('l', 'LL')", "replace('o', '', 1)",
                "indent", "indent(2, true)", "indent(3, blank=true)", "center(15)", "wordcount", "first", "last",
                "reverse", "list", "tojson", "string", "default('d')", "int", "float(1.5)", "join('-')", "trim('Hd ')"]
LIST_FILTERS = ["length", "first", "last", "join(',')", "sort", "sort(reverse=true)", "unique | list", "reverse | list",
                "sum", "min", "max", "tojson", "map('string') | list", "select | list", "reject | list", "list",
                "batch(2) | list", "slice(2) | list", "map('upper') | join", "select('number') | list", "string",
                "reject('string') | list", "tojson(indent=2)", "default([], true)"]
NUMBER_FILTERS = ["abs", "int", "float", "round", "round(1)", "round(0, 'floor')", "round(1, 'ceil')", "string", "tojson",
                  "default(4)", "default(4, true)"]
DICT_FILTERS = ["length", "list", "dictsort", "tojson", "items | list", "first", "join(',')", "dictsort(by='value')",
                "dictsort(reverse=true)", "tojson(2)"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, choices):
        return self.random.choice(choices)

    def number(self, depth):
        if depth <= 0 or self.random.random() < 0.3:
            return self.pick(NUMBERS)
        kind = self.random.randrange(5)
        if kind == 0:
            return f"{self.number(depth - 1)} {self.pick(['+', '-', '*'])} {self.number(depth - 1)}"
        if kind == 1:
            return f"({self.number(depth - 1)} {self.pick(['/', '//', '%'])} {self.number(depth - 1)})"
        if kind == 2:
            return f"({self.number(depth - 1)}) | {self.pick(NUMBER_FILTERS)}"
        if kind == 3:
            return f"{self.pick(['-', '+'])}{self.number(0)}"
        return f"{self.number(0)} ** {self.pick(['2', '0', '-1', '3'])}"

    def text(self, depth):
        if depth <= 0 or self.random.random() < 0.3:
            return self.pick(TEXTS)
        kind = self.random.randrange(4)
        if kind == 0:
            return f"{self.value(depth - 1)} ~ {self.text(depth - 1)}"
        if kind == 1:
            return f"({self.text(depth - 1)}) | {self.pick(TEXT_FILTERS)}"
        if kind == 2:
            return f"({self.text(depth - 1)})[{self.bound()}:{self.bound()}{self.pick(['', ':2', ':-1', ':-2'])}]"
        return f"({self.text(depth - 1)}) * {self.pick(['0', '1', '2', '-1'])}"

    def bound(self):
        return self.pick(["", "", "0", "1", "2", "-1", "-2", "9", "-9"])

    def sequence(self, depth):
        if depth <= 0 or self.random.random() < 0.3:
            return self.pick(LISTS)
        kind = self.random.randrange(4)
        if kind == 0:
            return f"[{self.value(depth - 1)}, {self.value(depth - 1)}]"
        if kind == 1:
            return f"({self.sequence(depth - 1)}) | {self.pick(LIST_FILTERS)}"
        if kind == 2:
            return f"({self.sequence(depth - 1)})[{self.bound()}:{self.bound()}]"
        return f"people | {self.pick(PEOPLE_FILTERS)}"

    def mapping(self, depth):
        if depth <= 0 or self.random.random() < 0.5:
            return self.pick(DICTS)
        return f"({self.mapping(depth - 1)}) | {self.pick(DICT_FILTERS)}"

    def condition(self, depth):
        kind = self.random.randrange(6)
        if kind == 0:
            return f"{self.value(depth - 1)} {self.pick(['==', '!='])} {self.value(depth - 1)}"
        if kind == 1:
            return f"{self.number(depth - 1)} {self.pick(['<', '<=', '>', '>='])} {self.number(depth - 1)}"
        if kind == 2:
            return f"({self.value(depth - 1)}) is {self.pick(['', 'not '])}{self.pick(TESTS)}"
        if kind == 3:
            return f"not ({self.value(depth - 1)})"
        if kind == 4:
            return f"({self.value(depth - 1)}) {self.pick(['and', 'or'])} ({self.value(depth - 1)})"
        return f"{self.value(depth - 1)} {self.pick(['in', 'not in'])} ({self.sequence(depth - 1)})"

    def value(self, depth):
        kind = self.random.randrange(12)
        if kind < 3:
            return self.number(depth)
        if kind < 6:
            return self.text(depth)
        if kind < 8:
            return self.sequence(depth)
        if kind < 9:
            return self.mapping(depth)
        if kind < 10 and depth > 0:
            return f"({self.condition(depth)})"
        if kind < 11 and depth > 0:
            return f"({self.value(depth - 1)} if {self.condition(depth - 1)} else {self.value(depth - 1)})"
        return self.pick(["e", "t", "u", "none", "missing | default('no')", "missing is defined"])

    def tag(self, content):
        return "{%" + self.pick(["", "", "-", "+"]) + " " + content + " " + self.pick(["", "", "-", "+"]) + "%}"

    def space(self):
        return self.pick(["", "", "\n", "  ", "\n  ", "  \n", "\n\n", "\t", " x ", "text\n"])

    def block(self, depth):
        kind = self.random.randrange(9) if depth > 0 else self.random.randrange(3)
        space = self.space
        if kind == 0:
            return space() + "text" + space()
        if kind == 1:
            return "{{" + self.pick(["", "-"]) + " " + self.value(2) + " " + self.pick(["", "-"]) + "}}" + space()
        if kind == 2:
            return "{#" + self.pick(["", "-", "+"]) + " note {{ x }} " + self.pick(["", "-", "+"]) + "#}" + space()
        if kind == 3:
            middle = self.tag("else") + self.body(depth - 1) if self.random.random() < 0.5 else ""
            more = self.tag(f"elif {self.condition(1)}") + self.body(depth - 1) if self.random.random() < 0.3 else ""
            return self.tag(f"if {self.condition(1)}") + self.body(depth - 1) + more + middle + self.tag("endif") + space()
        if kind == 4:
            inside = "{{ loop.index }}{{ loop.first }}{{ loop.revindex0 }}{{ loop.last }}/{{ loop.length }} {{ x }}"
            condition = self.pick(["", "", " if x", " if x is number"])
            other = self.tag("else") + self.body(depth - 1) if self.random.random() < 0.4 else ""
            return (self.tag(f"for x in {self.sequence(1)}{condition}") + space() + inside + self.body(depth - 1) + other
                    + self.tag("endfor") + space())
        if kind == 5:
            return self.tag(f"for k, v in ({self.pick(DICTS)}).items()") + "{{ k }}={{ v }}" + space() + self.tag("endfor")
        if kind == 6:
            return self.tag(f"set v = {self.value(2)}") + space() + "{{ v }}" + space()
        if kind == 7:
            filters = self.pick(["", " | upper", " | trim", " | length", " | indent(2)"])
            return self.tag(f"set v{filters}") + self.body(depth - 1) + self.tag("endset") + "[{{ v }}]" + space()
        return self.tag("raw") + space() + "{{ raw }} {% if %}" + space() + self.tag("endraw") + space()

    def body(self, depth):
        return self.space() + "".join(self.block(depth) for _ in range(self.random.randrange(3)))


PEOPLE_FILTERS = ["map(attribute='age') | list", "selectattr('age', 'gt', 30) | map(attribute='name') | join(',')",
                  "sort(attribute='name') | map(attribute='name') | list", "rejectattr('tags') | list",
                  "sort(attribute='age,name', reverse=true) | map(attribute='name') | list", "sum(attribute='age')",
                  "groupby('age') | list", "map(attribute='tags.0', default='-') | list", "unique(attribute='age') | list",
                  "max(attribute='age')", "selectattr('name', 'in', ['bob']) | list", "groupby('name') | map('first') | list"]


def generate(count, seed):
    generator = Generator(seed)
    for index in range(count):
        if index % 3 == 0:
            template = generator.body(2) + generator.block(3)
        else:
            template = "{{ " + generator.value(3) + " }}"
        yield {"name": f"random {index}", "template": template, "variables": VARIABLES, "includes": {}, "stricter": None}
