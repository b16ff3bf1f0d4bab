#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads quoted values back with the programs they are meant for: sh, bash, PyYAML, configparser.

A value must come back as it was, or be refused by the filter. Refusals are bounded, so that a filter that refuses
everything fails. systemd, fail2ban and Caddy are held the same way on real hosts by tests/e2e/quoting_test.py.
"""
import argparse
import configparser
import os
import subprocess
import sys
import tempfile

import yaml

from awkward_values import values
from quoted import quoted

BATCH = 200


def through_shell(shell):
    def read(words):
        script = b"printf '%s\\0' " + b" ".join(words) + b"\n"
        done = subprocess.run([shell, "-s"], input=script, capture_output=True, timeout=30, check=True, env={"LC_ALL": "C"})
        return done.stdout.split(b"\0")[: len(words)]
    return read


def through_yaml(scalars):
    document = b"".join(b"- " + scalar + b"\n" for scalar in scalars)
    keys = b"".join(b"k%d: {x: %b}\n" % (index, scalar) for index, scalar in enumerate(scalars))
    read = yaml.safe_load(document.decode())
    nested = [entry["x"] for entry in yaml.safe_load(keys.decode()).values()]
    if read != nested:
        raise AssertionError("a scalar reads differently inside a mapping")
    return [value.encode() for value in read]


def through_configparser(words):
    """With the comments fail2ban allows behind values."""
    with tempfile.NamedTemporaryFile(suffix=".conf") as file:
        file.write(b"[DEFAULT]\n" + b"".join(b"k%d = %b\n" % item for item in enumerate(words)))
        file.flush()
        parser = configparser.ConfigParser(inline_comment_prefixes=";")
        parser.read(file.name, encoding="utf-8")
        return [parser.get("DEFAULT", f"k{index}").encode() for index in range(len(words))]


READERS = [
    ("shell", "sh", through_shell("/bin/sh"), 0.05),
    ("shell", "bash", through_shell("/bin/bash"), 0.05),
    ("yaml", "PyYAML", through_yaml, 0.05),
    ("ini", "configparser", through_configparser, 0.5),
]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("oracle", help="the program quote_oracle")
    arguments.add_argument("--random", type=int, default=50000 if os.environ.get("SENTINEL_CAMPAIGN") else 2000)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    every = list(values(options.random, options.seed))
    failed = False
    for filter_name, reader_name, read, most_refused in READERS:
        words = quoted(options.oracle, filter_name, every)
        pairs = [(value, word) for value, word in zip(every, words, strict=True) if word is not None]
        wrong = []
        for begin in range(0, len(pairs), BATCH):
            part = pairs[begin:begin + BATCH]
            back = read([word for _, word in part])
            wrong += [(value, word, got) for (value, word), got in zip(part, back, strict=True) if got != value]
        refused = len(every) - len(pairs)
        print(f"{filter_name} read by {reader_name}: {len(pairs)} values, {refused} refused, {len(wrong)} wrong")
        for value, word, got in wrong[:20]:
            print(f"  {value!r} written as {word!r} was read as {got!r}")
        failed = failed or bool(wrong) or refused > most_refused * len(every)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
