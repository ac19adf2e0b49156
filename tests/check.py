#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The checkers must be able to fail: each is shown something wrong, and something right that looks like it."""
import contextlib
import io
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tools"))

import check_build
import check_docs
import check_scripts
import check_source
import check_tests
from check_report import Report

failed = False


def case(name, got, wanted):
    global failed
    if got == wanted:
        print(f"ok {name}")
    else:
        failed = True
        print(f"not ok {name}: {got!r}, not {wanted!r}")


def counts(run):
    """(passed, failed, skipped) of one call with a fresh report; what it prints is dropped."""
    report = Report()
    with contextlib.redirect_stdout(io.StringIO()):
        run(report)
    return report.passed, len(report.failures), len(report.skipped)


def words(folder_and_name, text):
    """What check_source says about a file of that name with this text."""
    original = check_source.read
    check_source.read = lambda _name: text
    try:
        return len(check_source.banned_words(folder_and_name, bool(check_source.PROGRAM.search(folder_and_name))))
    finally:
        check_source.read = original


def banned():
    case("a call", words("smtp/x.c", "int f(void)\n{\n\tstrcpy(a, b);\n}\n"), 1)
    case("with space before the parenthesis", words("app/x.c", "sprintf (a, b);"), 1)
    case("in a comment", words("smtp/x.c", "/* strcpy(a, b)\n gets(x) */ // time(0)\n"), 0)
    case("in a string", words("smtp/x.c", 'f("sprintf(\\"x\\")", \'"\'); g("atoi(1)");'), 0)
    case("behind a string that ends with a backslash", words("smtp/x.c", 'f("\\\\"); atoi(x);'), 1)
    case("as part of a longer name", words("smtp/x.c", "my_strcpy(a); strcpy_s(b); unix_time(c);"), 0)
    case("through a structure", words("serve/x.c", "h->ops->random(h, p, n); g.time(x);"), 0)
    case("a platform's header", words("smtp/x.c", "#include <time.h>\n"), 1)
    case("time outside host", words("serve/x.c", "t = time(NULL);"), 1)
    case("time inside host", words("host/linux/x.c", "t = time(NULL);"), 0)
    case("strlen in a codec", words("dns/x.c", "n = strlen(p);"), 1)
    case("strlen in a codec's test", words("dns/x_test.c", "n = strlen(p);"), 0)
    case("strtok in a test", words("dns/x_test.c", "strtok(p, q);"), 1)
    case("a platform's #if", words("serve/x.c", "#if defined(__linux__)\n#endif\n"), 1)
    case("a platform's #if in host", words("host/x.c", "#ifdef __linux__\n#endif\n"), 0)


def headers_of_tests():
    files = {"a/x.c": '#include "a/x.h"\n', "a/x.h": '#include "a/in.h"\n', "a/in.h": "", "a/x_test.c": '#include "a/play.h"',
             "a/play.h": '#include "a/play_in.h"\n#include "a/x.h"\n', "a/play_in.h": ""}
    original, check_source.read = check_source.read, files.get
    case("headers that only tests include", sorted(check_source.only_in_programs(set(files))),
         ["a/play.h", "a/play_in.h", "a/x_test.c"])
    check_source.read = original


def scripts():
    def tally(status, out, name="tests/x.py"):
        return counts(lambda r: check_scripts.tally(r, name, name, status, out, ""))
    case("all passed", tally(0, "ok a\nok b\nnote: nothing\n"), (2, 0, 0))
    case("one failed", tally(1, "ok a\nnot ok b: why\n"), (1, 1, 0))
    case("failed, but status 0", tally(0, "not ok b: why\n"), (0, 2, 0))
    case("passed, but status 1", tally(1, "ok a\n"), (1, 1, 0))
    case("died of a signal", tally(-11, "ok a\n"), (1, 1, 0))
    case("no case at all", tally(0, ""), (0, 1, 0))
    case("skipped whole", tally(77, "skip a: no tool\n"), (0, 0, 1))
    case("status 77 after a passed case", tally(77, "ok a\nskip b: why\n"), (1, 1, 1))
    original = check_scripts.suites_folder
    check_scripts.suites_folder = lambda: "here"
    case("a suite that is here but skips", tally(77, "skip a: no tool\n", "tests/suites/x.py"), (0, 1, 0))
    case("one case of a suite skipped", tally(0, "ok a\nskip b: why\n", "tests/suites/x.py"), (1, 0, 1))
    check_scripts.suites_folder = lambda: None
    case("a suite that is not here", tally(77, "skip a: no folder\n", "tests/suites/x.py"), (0, 0, 1))
    check_scripts.suites_folder = original


def suites():
    def judge(out, wanted=None):
        return counts(lambda r: check_scripts.judge_counts(r, "x", wanted or {"a-b": 3}, out))
    case("a suite reached", judge("ok 1\na-b 3/3\n"), (1, 0, 0))
    case("a suite that fell", judge("a-b 2/3\n"), (0, 1, 0))
    case("a suite that lost a case", judge("a-b 2/2\n"), (0, 1, 0))
    case("a suite that grew", judge("a-b 4/4\n"), (0, 1, 0))
    case("a suite without its count", judge("ok a-b 3/3\n"), (0, 1, 0))
    case("a suite in two parts", judge("a-b one 1/1\na-b two 2/2\n", {"a-b one": 1, "a-b two": 2}), (2, 0, 0))
    case("a suite that the table does not know", judge("a-b 3/3\nc 1/1\n"), (1, 1, 0))
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "suites")
    scripts_there = sorted(name for name in os.listdir(folder) if name.endswith(".py"))
    case("suites in the table", [name for name in scripts_there if not check_scripts.counts_of("tests/suites/" + name)], [])


def programs():
    def tap(status, out):
        return counts(lambda r: check_build.count_tap(r, "x", status, out, ""))
    case("a plan fulfilled", tap(0, "1..2\nok 1 - a\nok 2 - b\n"), (2, 0, 0))
    case("a plan cut short", tap(-6, "1..2\nok 1 - a\n"), (1, 1, 0))
    case("a failed test", tap(1, "1..2\nok 1 - a\nnot ok 2 - b\n"), (1, 1, 0))
    case("a failed test, but status 0", tap(0, "1..1\nnot ok 1 - b\n"), (0, 2, 0))
    case("passed, then a leak found at exit", tap(1, "1..1\nok 1 - a\n"), (1, 1, 0))
    case("a test that skips", tap(0, "1..1\nok 1 - a # SKIP no IPv6\n"), (0, 0, 1))
    case("nothing printed", tap(0, ""), (0, 1, 0))


def order():
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    names = check_tests.slowest()
    case("slowest tests that exist", [name for name in names if not any(
        os.path.exists(os.path.join(top, path)) for path in (name, f"{name}_test.c", f"tests/{name}_test.c"))], [])
    done = []
    check_tests.run([(name, lambda name=name: done.append(name)) for name in ["unknown", *reversed(names)]], 1)
    case("the slowest begin", done, [*names, "unknown"])


def documents():
    top = {"smtp", "tests"}
    case("paths", list(check_docs.paths_of("see smtp/reply.c, tests/x.py:12 and a/b NAME/x", top)),
         ["smtp/reply.c", "tests/x.py"])
    case("names with parentheses", list(check_docs.functions_of("wr_str(w, s)", set())), ["wr_str"])
    case("a name of a known module", list(check_docs.functions_of("wr_byte", {"wr"})), ["wr_byte"])
    case("a word of nobody's", list(check_docs.functions_of("max_age", {"wr"})), [])


for run in (banned, headers_of_tests, scripts, suites, programs, order, documents):
    run()
sys.exit(1 if failed else 0)
