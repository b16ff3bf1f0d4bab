#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the golden reports of tests/golden/check to those who would read them: each format's public schema where one can be
had from a package, a real consumer otherwise. unit.report holds the same files against the code byte for byte.

JUnit: junitparser, xmllint. SARIF: the schema of the package @microsoft/jest-sarif. TAP: prove. Prometheus: promtool.
OSCAL: the part of NIST's assessment-results 1.1.2 schema that is used here, written down below, since no package has it; compared with the
published schema (oscal-complete-schema.json of 1.1.2) field by field on 2026-11-27.
Markdown: cmark-gfm. HTML: html5lib in strict mode. Hostile text must come out of each as text. The look of the page is tests/golden/check_page.py's matter."""

import copy
import datetime
import json
import re
import shutil
import subprocess
import sys
import unicodedata
import unittest
import uuid
from pathlib import Path

import html5lib
import jsonschema
import junitparser

FILES = Path(__file__).resolve().parent / "check"
BUILD = Path(sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "build/dev").resolve()
REPORTS = ("sample", "hostile")
# What the findings of both reports are.
VERDICTS = {"sample": {"fail": 2, "pass": 1, "unknown": 1, "warn": 1, "waived": 1, "not-applicable": 1},
            "hostile": {"fail": 1, "pass": 1, "unknown": 1, "warn": 1, "waived": 1, "not-applicable": 1}}


def read(report, name):
    return (FILES / f"{report}-{name}").read_text(encoding="utf-8")


def run(*argv, **options):
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, **options)


class JUnit(unittest.TestCase):
    def test_consumer_counts_what_was_found(self):
        for report in REPORTS:
            with self.subTest(report):
                suites = list(junitparser.JUnitXml.fromfile(str(FILES / f"{report}-junit.xml")))
                host, unreached = suites
                want = VERDICTS[report]
                self.assertEqual((host.tests, host.failures, host.errors, host.skipped),
                                 (sum(want.values()), want["fail"], want["unknown"], want["waived"] + want["not-applicable"]))
                kinds = [type(case.result[0]).__name__ if case.result else "" for case in host]
                self.assertEqual(kinds.count("Failure"), want["fail"])
                self.assertEqual(kinds.count("Error"), want["unknown"])
                self.assertEqual(kinds.count("Skipped"), want["waived"] + want["not-applicable"])
                self.assertEqual((unreached.name, unreached.errors, len(list(unreached))), ("web-2", 1, 1))

    def test_is_well_formed_and_of_the_known_elements_only(self):
        children = {"testsuites": {"testsuite"}, "testsuite": {"properties", "testcase"}, "properties": {"property"},
                    "testcase": {"failure", "error", "skipped", "system-out"}}
        for report in REPORTS:
            with self.subTest(report):
                checked = run("xmllint", "--noout", str(FILES / f"{report}-junit.xml"))
                self.assertEqual((checked.returncode, checked.stderr), (0, ""))
                import xml.etree.ElementTree as tree
                for element in tree.parse(FILES / f"{report}-junit.xml").iter():
                    self.assertLessEqual({child.tag for child in element}, children.get(element.tag, set()), element.tag)


class Sarif(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        home = BUILD / "tests" / "check-formats"
        home.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(FILES / name, home / name)
        schema = home / "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
        if not schema.exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=home, check=True, timeout=120)
        cls.schema = json.loads(schema.read_text())

    def test_fits_the_schema(self):
        # The schema is a draft 4 one and names itself where it can't be fetched.
        schema = {key: value for key, value in self.schema.items() if key != "id"}
        for report in REPORTS:
            with self.subTest(report):
                document = json.loads(read(report, "sarif.json"))
                errors = jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).iter_errors(document)
                self.assertEqual([f"{list(error.path)}: {error.message[:200]}" for error in errors], [])

    def test_means_what_was_found(self):
        run_of = json.loads(read("sample", "sarif.json"))["runs"][0]
        self.assertFalse(run_of["invocations"][0]["executionSuccessful"])  # web-2 was not reached
        results = {result["ruleId"]: result for result in run_of["results"]}
        self.assertEqual(results["000-02"]["level"], "error")
        self.assertEqual(results["000-02"]["baselineState"], "new")
        place = results["000-02"]["locations"][0]["physicalLocation"]
        self.assertEqual(place, {"artifactLocation": {"uri": "web-1/etc/ssh/sshd_config.d/50-cloud-init.conf"}, "region": {"startLine": 3}})
        self.assertEqual(results["004-07"]["suppressions"][0]["status"], "accepted")
        self.assertEqual((results["000-05"]["kind"], results["000-22"]["kind"], results["000-03"]["kind"]), ("open", "notApplicable", "pass"))
        for result in run_of["results"]:
            self.assertEqual(run_of["tool"]["driver"]["rules"][result["ruleIndex"]]["id"], result["ruleId"])
            self.assertEqual(result["level"] == "none", result["kind"] != "fail")
            self.assertGreaterEqual(result["locations"][0]["physicalLocation"]["region"]["startLine"], 1)  # GitHub shows no result without


class Tap(unittest.TestCase):
    def test_prove_reads_it(self):
        for report in REPORTS:
            with self.subTest(report):
                want = VERDICTS[report]
                bad = want["fail"] + want["unknown"] + 1  # and the host that was not reached
                proved = run("prove", "--exec", "cat", "--failures", str(FILES / f"{report}-report.tap"))
                self.assertIn(f"Failed {bad}/{sum(want.values()) + 1} subtests", proved.stdout + proved.stderr)
                self.assertNotIn("Parse errors", proved.stdout)
                self.assertIn(f"(less {want['waived'] + want['not-applicable']} skipped subtests", proved.stdout + proved.stderr)


class Prometheus(unittest.TestCase):
    def test_promtool_finds_nothing(self):
        for report in REPORTS:
            with self.subTest(report):
                checked = run("promtool", "check", "metrics", input=read(report, "metrics.prom"))
                self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_says_what_was_found(self):
        text = read("sample", "metrics.prom")
        self.assertIn('sentinel_check_findings{host="web-1",profile="vps",status="fail"} 2\n', text)
        self.assertIn('sentinel_check_host_audited{host="web-2",profile="vps"} 0\n', text)
        self.assertIn("sentinel_check_timestamp_seconds{host=\"web-1\",profile=\"vps\"} 1795687201\n", text)
        self.assertIn('sentinel_check_waiver_end_timestamp_seconds{host="web-1",profile="vps",control="004-07"} 1801440000\n', text)


# OSCAL 1.1.2: name -> (required, what it is). A string is a data type, a list holds at least one. Stricter than the schema in three
# things: titles are one line and no prose is empty, UUIDs are in lower case as RFC 4122 writes them, and where the schema names values
# but takes others as well (methods, reason, a risk's status) only the named ones are taken.
TOKEN, LINE, TEXT, UUID, TIME, URI, REFERENCE = "token", "line", "text", "uuid", "time", "uri", "reference"
PROPERTY = {"name": (True, TOKEN), "ns": (False, URI), "value": (True, LINE)}
STATUS = {"state": (True, {"satisfied", "not-satisfied"}), "reason": (False, {"pass", "fail", "other"}), "remarks": (False, TEXT)}
OSCAL = {
    "uuid": (True, UUID),
    "metadata": (True, {"title": (True, LINE), "last-modified": (True, TIME), "version": (True, LINE),
                        "oscal-version": (True, {"1.1.2"}), "props": (False, [PROPERTY])}),
    "import-ap": (True, {"href": (True, REFERENCE)}),
    "results": (True, [{
        "uuid": (True, UUID), "title": (True, LINE), "description": (True, TEXT), "start": (True, TIME), "props": (False, [PROPERTY]),
        "reviewed-controls": (True, {"control-selections": (True, [{
            "description": (False, TEXT), "include-controls": (False, [{"control-id": (True, TOKEN)}])}])}),
        "observations": (False, [{
            "uuid": (True, UUID), "title": (False, LINE), "description": (True, TEXT), "props": (False, [PROPERTY]),
            "methods": (True, [{"EXAMINE", "INTERVIEW", "TEST", "UNKNOWN"}]), "collected": (True, TIME),
            "relevant-evidence": (False, [{"description": (True, TEXT)}])}]),
        "risks": (False, [{
            "uuid": (True, UUID), "title": (True, LINE), "description": (True, TEXT), "statement": (True, TEXT),
            "status": (True, {"open", "investigating", "remediating", "deviation-requested", "deviation-approved", "closed"}),
            "deadline": (False, TIME)}]),
        "findings": (False, [{
            "uuid": (True, UUID), "title": (True, LINE), "description": (True, TEXT),
            "target": (True, {"type": (True, {"statement-id", "objective-id"}), "target-id": (True, TOKEN), "status": (True, STATUS)}),
            "related-observations": (False, [{"observation-uuid": (True, UUID)}]),
            "related-risks": (False, [{"risk-uuid": (True, UUID)}])}])}]),
    "back-matter": (False, {"resources": (False, [{"uuid": (True, UUID), "title": (False, LINE), "description": (False, TEXT)}])}),
}
PATTERNS = {LINE: r"\S(.*\S)?", TEXT: r"(?s).*\S.*", URI: r"[a-zA-Z][a-zA-Z0-9+.\-]+:\S+", REFERENCE: r"#\S+|[a-zA-Z][a-zA-Z0-9+.\-]+:\S+",
            UUID: r"[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
            TIME: r"(19|2\d)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"}


def is_of_type(value, name):
    if not isinstance(value, str):
        return False
    if name == TOKEN:  # of XML's NCName: letters first, then numbers of any script as well
        kinds = "".join("L" if character == "_" else "N" if character in ".-" else unicodedata.category(character)[0] for character in value)
        return re.fullmatch("L[LN]*", kinds) is not None
    if not re.fullmatch(PATTERNS[name], value, re.ASCII if name in (UUID, TIME) else 0):
        return False
    if name == TIME:  # of a day that exists
        try:
            datetime.datetime.fromisoformat(value)
        except ValueError:
            return False
    return True


def misfits(value, shape, place):
    if isinstance(shape, str):
        return [] if is_of_type(value, shape) else [f"{place}: {value!r} is no {shape}"]
    if isinstance(shape, set):
        return [] if value in shape else [f"{place}: {value!r} is none of {sorted(shape)}"]
    if isinstance(shape, list):
        if not isinstance(value, list) or not value:
            return [f"{place}: not a list with something in it"]
        return [misfit for i, item in enumerate(value) for misfit in misfits(item, shape[0], f"{place}[{i}]")]
    if not isinstance(value, dict):
        return [f"{place}: no object"]
    found = [f"{place}: unknown field {name}" for name in value if name not in shape]
    for name, (required, inner) in shape.items():
        if name in value:
            found += misfits(value[name], inner, f"{place}.{name}")
        elif required:
            found.append(f"{place}: {name} is missing")
    return found


class Oscal(unittest.TestCase):
    def test_fits_the_model(self):
        for report in REPORTS:
            with self.subTest(report):
                document = json.loads(read(report, "oscal.json"))
                self.assertEqual(list(document), ["assessment-results"])
                self.assertEqual(misfits(document["assessment-results"], OSCAL, ""), [])

    def test_what_the_schema_refuses_is_a_misfit(self):
        good = {TOKEN: ["a", "_1", "sentinel-000-02", "\u00e9.\u0663"], UUID: ["5a1b0c1e-6f5d-5c3e-9b1a-0d7f6a3c2e10", "5a1b0c1e-6f5d-4c3e-8b1a-0d7f6a3c2e10"],
                TIME: ["2026-11-27T23:59:59Z", "2024-02-29T00:00:00.250+05:30"], URI: ["https://a.example/b", "urn:x"], REFERENCE: ["#a", "https://a.example"],
                LINE: ["a", "a b"], TEXT: ["a\nb", "  0000 [/opt]"]}
        bad = {TOKEN: ["", "000-02", "-a", "a b", "a:b", "\u00b2a", 1, None], UUID: ["5a1b0c1e-6f5d-1c3e-9b1a-0d7f6a3c2e10", "5a1b0c1e-6f5d-5c3e-7b1a-0d7f6a3c2e10", "5a1b0c1e6f5d5c3e9b1a0d7f6a3c2e10"],
               TIME: ["2026-11-27T23:59:59", "2026-11-27 23:59:59Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-27T24:00:00Z", "2026-11-27T23:60:00Z", "2026-11-27", "0999-01-01T00:00:00Z"],
               URI: ["#a", "a", "//a", "x:y"], REFERENCE: ["", "a b"], LINE: ["", " a", "a ", "a\nb"], TEXT: ["", " \n", 1]}
        for name in good:
            self.assertEqual([value for value in good[name] if not is_of_type(value, name)], [], name)
            self.assertEqual([value for value in bad[name] if is_of_type(value, name)], [], name)

        document = json.loads(read("sample", "oscal.json"))["assessment-results"]

        def places(shape, node, path=()):
            if isinstance(shape, list):
                yield from places(shape[0], node[0], (*path, 0))
            elif isinstance(shape, dict):
                for name, (required, inner) in shape.items():
                    if name in node:
                        yield (*path, name), required, inner
                        yield from places(inner, node[name], (*path, name))

        def changed(path, value):
            whole = copy.deepcopy(document)
            inner = whole
            for step in path[:-1]:
                inner = inner[step]
            if value is None:
                del inner[path[-1]]
            else:
                inner[path[-1]] = value
            return misfits(whole, OSCAL, "")
        seen = list(places(OSCAL, document))
        self.assertGreater(sum(required for _, required, _ in seen), 25)
        for path, required, inner in seen:
            with self.subTest(path):
                self.assertEqual(bool(changed(path, None)), required)
                self.assertTrue(changed(path, [] if isinstance(inner, list) else 7))
                self.assertTrue(changed((*path[:-1], "unheard-of"), "x"))

    def test_identifiers_are_unique_and_references_lead_somewhere(self):
        for report in REPORTS:
            results = json.loads(read(report, "oscal.json"))["assessment-results"]
            defined, referred = [], []

            def walk(node):
                if isinstance(node, dict):
                    for name, value in node.items():
                        (defined if name == "uuid" else referred if name.endswith("-uuid") else []).append(value)
                        walk(value)
                elif isinstance(node, list):
                    for item in node:
                        walk(item)

            walk(results)
            self.assertEqual(len(defined), len(set(defined)))
            self.assertLessEqual(set(referred), set(defined))
            self.assertIn(results["import-ap"]["href"][1:], defined)
            self.assertTrue(all(uuid.UUID(name).version == 5 for name in defined))

    def test_means_what_was_found(self):
        first, second = json.loads(read("sample", "oscal.json"))["assessment-results"]["results"]
        states = {finding["target"]["target-id"]: finding["target"]["status"]["state"] for finding in first["findings"]}
        self.assertEqual(states, {"sentinel-000-02": "not-satisfied", "sentinel-000-03": "satisfied", "sentinel-000-05": "not-satisfied",
                                  "sentinel-000-01": "satisfied", "sentinel-004-07": "not-satisfied", "sentinel-002-04": "not-satisfied"})
        self.assertEqual(first["risks"][0]["status"], "deviation-approved")
        self.assertNotIn("findings", second)


class Page(unittest.TestCase):
    def parsed(self, report):
        return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(read(report, "page.html"))

    def test_is_html_without_a_mistake(self):
        for report in REPORTS:
            with self.subTest(report):
                self.parsed(report)

    def test_asks_for_nothing_and_runs_nothing(self):
        for report in REPORTS:
            with self.subTest(report):
                for element in self.parsed(report).iter():
                    self.assertNotIn(element.tag, {"script", "img", "link", "iframe", "object", "embed", "base", "form"})
                    for name, value in element.attrib.items():
                        self.assertFalse(str(name).lower().startswith("on"), name)
                        self.assertFalse(name in {"src", "srcset"} or (name == "href" and not value.startswith("#")), value)
                style = "".join(element.text for element in self.parsed(report).iter("style"))
                self.assertNotRegex(style, r"url\(|@import")

    def test_hostile_text_is_text(self):
        text = " ".join(self.parsed("hostile").itertext())
        self.assertIn("</failure>]]><script>alert(1)</script> \"quoted\" 'single' & &amp; `code`", text)
        self.assertIn("\\e[31mred\\e]0;title\\x07", text)


class Markdown(unittest.TestCase):
    def parsed(self, report):
        rendered = run("cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink", "-e", "strikethrough", str(FILES / f"{report}-report.md"))
        self.assertEqual(rendered.returncode, 0, rendered.stderr)
        return html5lib.HTMLParser(namespaceHTMLElements=False).parse("<!DOCTYPE html>" + rendered.stdout)

    def test_hostile_text_is_text(self):
        page = self.parsed("hostile")
        tags = {element.tag for element in page.iter()}
        self.assertLessEqual(tags, {"html", "head", "body", "h1", "h2", "h3", "h4", "p", "ul", "li", "strong", "code", "table", "thead", "tbody",
                                    "tr", "th", "td", "details", "summary"})
        for element in page.iter("code"):
            self.assertNotIn("\n", element.text)
        found = next(item for item in page.iter("li") if "".join(item.itertext()).startswith("found: "))
        self.assertIn("<script>alert(1)</script> \"quoted\" 'single' & &amp; `code` ``` @someone #1 # TODO \\# | pipe | [link](javascript:x)",
                      "".join(found.itertext()))

    def test_tables_hold_what_was_found(self):
        for report in REPORTS:
            with self.subTest(report):
                rows = [["".join(cell.itertext()) for cell in row] for row in next(self.parsed(report).iter("table")).iter("tr")]
                self.assertEqual(rows[0], ["host", "pass", "fail", "warn", "unknown", "not-applicable", "waived"])
                self.assertEqual(rows[1], ["web-1"] + [str(VERDICTS[report][word]) for word in rows[0][1:]])
                self.assertEqual(rows[2], ["web-2"] + ["–"] * 6)


if __name__ == "__main__":
    unittest.main(verbosity=2)
