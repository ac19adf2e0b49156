# SPDX-License-Identifier: ISC
"""A strict reader of the Prometheus text exposition format 0.0.4, and of the pages that serve it.

Stricter than the format asks: every family has HELP and TYPE, in this order, and all of its samples behind them; names
follow the conventions (a counter ends in _total, others do not; units are base units); nothing stands twice.
"""
import http.client
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? ([^ ]+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)')
NUMBER = re.compile(r"-?\d+(?:\.\d+)?|\+Inf")
SUFFIXES = {"counter": [""], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
NOT_BASE_UNITS = ("_ms", "_milliseconds", "_minutes", "_kilobytes", "_megabytes", "_percent")


def read(text):
    """{(name, ((label, value), ...)): number}; AssertionError names the first line that is not as it must be."""
    assert text.endswith("\n"), "the last line has no end"
    values, kinds, family, kind, helped = {}, {}, None, None, None
    for number, line in enumerate(text[:-1].split("\n"), 1):
        where = f"line {number}: {line!r}"
        if line.startswith("# HELP "):
            helped, _, words = line[7:].partition(" ")
            assert re.fullmatch(NAME, helped) and words.strip(), where
            assert helped not in kinds, f"family twice: {where}"
        elif line.startswith("# TYPE "):
            family, _, kind = line[7:].partition(" ")
            assert family == helped and kind in SUFFIXES and family not in kinds, where
            assert (kind == "counter") == family.endswith("_total"), f"name of a {kind}: {where}"
            assert not family.endswith(NOT_BASE_UNITS), f"unit: {where}"
            kinds[family] = kind
        else:
            found = SAMPLE.fullmatch(line)
            assert found, where
            name, labels, value = found.groups()
            assert family and name in [family + s for s in SUFFIXES[kind]], f"outside of its family: {where}"
            assert NUMBER.fullmatch(value) and (kind == "gauge" or not value.startswith("-")), where
            pairs = read_labels(labels, where)
            assert (name, pairs) not in values, f"twice: {where}"
            values[name, pairs] = float(value)
    for name, kind in kinds.items():
        if kind == "histogram":
            check_histogram(name, values)
    return values


def read_labels(text, where):
    pairs, at = [], 0
    while text and at < len(text):
        found = LABEL.match(text, at)
        assert found, f"labels: {where}"
        value = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], found[2])
        pairs.append((found[1], value))
        at = found.end()
    assert text is None or (pairs and not text.endswith(",")), f"labels: {where}"
    assert len({name for name, _ in pairs}) == len(pairs), f"label twice: {where}"
    return tuple(pairs)


def check_histogram(name, values):
    buckets = [(dict(labels)["le"], v) for (n, labels), v in values.items() if n == name + "_bucket"]
    bounds, counts = [float(le) for le, _ in buckets], [v for _, v in buckets]
    assert bounds == sorted(set(bounds)) and bounds and bounds[-1] == float("inf"), f"bounds of {name}"
    assert counts == sorted(counts), f"buckets of {name}"
    assert values[name + "_count", ()] == counts[-1] and (name + "_sum", ()) in values, f"ends of {name}"


def get(address, path, port=9925, method="GET"):
    """(status, headers in lower case, body) of one page."""
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


def scrape(address, port=9925):
    status, headers, body = get(address, "/metrics", port)
    assert status == 200, f"/metrics: {status} {body!r}"
    assert headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8", headers["content-type"]
    return read(body)
