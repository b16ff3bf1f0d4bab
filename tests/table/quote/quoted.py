# SPDX-License-Identifier: Apache-2.0
"""Asks the program quote_oracle to quote values, as bytes."""
import subprocess


def quoted(program, filter_name, values):
    """One quoted value for each; None where the filter refuses it."""
    lines = "".join(f"{filter_name} {value.hex()}\n" for value in values)
    done = subprocess.run([str(program)], input=lines, capture_output=True, text=True, timeout=60, check=True)
    out = []
    for line in done.stdout.splitlines():
        kind, _, rest = line.partition(" ")
        out.append(bytes.fromhex(rest) if kind == "ok" else None)
    return out
