# SPDX-License-Identifier: Apache-2.0
"""Values that quoting tends to get wrong: written ones, and seeded random ones from the same ingredients."""
import random

WRITTEN = [
    b"", b" ", b"plain", b"two words", b" lead", b"trail ", b"'", b'"', b"''", b'""', b"`", b"\\", b"\\\\", b"\\\\\\", b"a\\", b'a\\"', b'\\"',
    b'\\\\"', b"\\n", b"a\nb", b"a\r\nb", b"\n", b"a\tb", b"$", b"$$", b"$HOME", b"${HOME}", b"$(id)", b"`id`", b"%", b"%%", b"%h", b"%(name)s",
    b"50% off", b"{", b"}", b"{}", b"{host}", b"{$HOME}", b"{env.HOME}", b"\\{host\\}", b"\\{", b"a{b", b"a}b", b"{{", b"}}", b"{\"a\": 1}", b"#", b" # x",
    b"a #b", b";", b"a ;b", b"a;b", b"; x", b"-", b"- x", b"--", b"!", b"!tag x", b"&a", b"*a", b"|", b">", b"@", b":", b"a: b", b"a:", b"?", b"~",
    b"null", b"true", b"yes", b"0644", b"1e3", b"2026-01-31", b"<<", b"=", b"a=b", b"[x]", b"[", b"]", b"(", b")", b",", b"\x01", b"\x1b[0m", b"\x7f",
    "über".encode(), "漢字".encode(), "\U0001f600".encode(), "\u0085".encode(), "a\u0085b".encode(), "\u00a0".encode(), "\u00a0x".encode(),
    "a\u2028b".encode(), "\u2029".encode(), "\ufeff".encode(), "x\ufeff".encode(), "\u0090".encode(), "\ufffe".encode(), b"\xff", b"a\xc3", b"a\x00b",
    b"x" * 3000, b"'; rm -rf / #", b'" onload="', b"\\x41", b"\\u0041", b"\\101", b"a\\ b", b"<<EOF", b"\x0b\x0c", b"\x1c",
    b"$2a$14$abcdefghijklmnopqrstuv", b"p@ss w0rd!\"'`\\{}%$#;", b"QUJD==", b"a\\\nb", b"\\`", b"`\\\"", b"`\\",
]
PIECES = [b"a", b"b", b" ", b"'", b'"', b"`", b"\\", b"\n", b"\t", b"\r", b"$", b"%", b"{", b"}", b"#", b";", b":", b"-", b"=", b"!", b"&", b"*", b"(", b")",
          b"[", b"]", b"<", b">", b"|", b"?", b"~", b"@", b",", b".", b"/", b"0", b"\x01", b"\x7f", "ü".encode(), "\u0085".encode(), "\u2028".encode(), "漢".encode()]


def values(count, seed):
    """The written values and `count` random ones; bytes, not all of them text."""
    random_number = random.Random(seed)
    yield from WRITTEN
    for _ in range(count):
        yield b"".join(random_number.choice(PIECES) for _ in range(random_number.randrange(1, 12)))
