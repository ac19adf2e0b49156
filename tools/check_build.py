# SPDX-License-Identifier: ISC
"""Builds, and what is checked on them: unit tests, fuzz corpora, headers, global state."""
import functools
import json
import os
import re
import shlex
import time

from check_report import TOP, command, in_parallel, tracked

# Where state of the whole process is unavoidable: the platform, and the fiber that runs on this thread.
MAY_HOLD_STATE = ("host", "fiber")
PROGRAMS = ("app", "tests", "bench")


class Build:
    """One configuration, in a folder of its own."""

    def __init__(self, name, folder, env, options):
        self.name, self.folder, self.env, self.options = name, os.path.abspath(folder), env, options

    def compile(self, report):
        if not os.path.exists(os.path.join(self.folder, "build.ninja")):
            status, out, err = command(["meson", "setup", self.folder, *self.options], env=self.env)
            if status != 0:
                report.fail(f"{self.name} setup", f"exit status {status}", out[-3000:] + err)
                return
        status, out, err = command(["ninja", "-k", "0", "-C", self.folder], env=self.env, timeout=900)
        report.result(f"{self.name} build", [f"exit status {status}\n{(out + err)[-6000:]}"] if status else [])

    def tests(self):
        """The unit tests and corpus replays that Meson knows, as (name, argv, is it a fuzzer's corpus)."""
        status, out, err = command(["meson", "introspect", "--tests", self.folder])
        if status != 0:
            raise RuntimeError(f"meson introspect: {err}")
        return [(t["name"], t["cmd"], any("corpus" in s for s in t["suite"])) for t in json.loads(out)]


def guests(report, build):
    """The unikernels, when what they link is there or can be built: its sources come from Debian's archive."""
    status, out, err = command([os.path.join(TOP, "tools", "guest-sysroot"), "build"], timeout=3600)
    if status != 0:
        report.skip("guests", ((err or out).strip().splitlines() or ["no sysroot"])[-1])
        return
    status, out, err = command(["ninja", "-k", "0", "-C", build.folder, "guests"], env=build.env, timeout=900)
    report.result("guests build", [f"exit status {status}\n{(out + err)[-6000:]}"] if status else [])


def unit_tests(report, builds):
    """Every cmocka program in every build, as jobs; corpora only under the sanitizers, which see most."""
    jobs = []
    for build in builds:
        tests = build.tests()
        if not any(not corpus for _, _, corpus in tests):
            report.fail(f"{build.name} unit tests", "there are none: is cmocka missing?")
        jobs += [(t[0], functools.partial(unit_test, report, build, *t)) for t in tests if not t[2] or "asan" in build.name]
    return jobs


def unit_test(report, build, name, argv, corpus):
    env = {"CMOCKA_MESSAGE_OUTPUT": "TAP", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    start = time.monotonic()
    status, out, err = command(argv, timeout=3600 if os.environ.get("PTT_LONG") else 600, env=env)
    if time.monotonic() - start > 5:
        print(f"   {name} ({build.name}): {time.monotonic() - start:.1f} s", flush=True)
    if corpus:
        report.result(f"{name} ({build.name})", [f"exit status {status}\n{out}\n{err}"] if status else [])
    else:
        count_tap(report, f"{name} ({build.name})", status, out, err)


def count_tap(report, name, status, out, err):
    """Counts the cases of one cmocka program: its plan must be fulfilled, its exit status must agree."""
    planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)", out, re.M))
    cases = re.findall(r"^(ok|not ok) \d+ - (.*)$", out, re.M)
    failed = False
    for kind, case in cases:
        case, _, note = case.partition(" # ")
        if kind == "not ok":
            failed = True
            report.fail(f"{name} {case}", "failed")
        elif note.upper().startswith("SKIP"):
            report.skip(f"{name} {case}", note[4:].strip() or "the test itself says so")
        else:
            report.ok(case)
    if len(cases) != planned or not cases:
        report.fail(name, f"{len(cases)} of {planned} cases ran, exit status {status}", out[-4000:] + err)
    elif (status != 0) != failed:
        report.fail(name, f"exit status {status}", out[-4000:] + err)
    elif failed:
        print("    " + (out[-4000:] + err).rstrip().replace("\n", "\n    "), flush=True)


def headers_alone(report, build):
    """Each header compiles with nothing before it, with the flags and the include folders of its own layer."""
    with open(os.path.join(build.folder, "compile_commands.json"), encoding="utf-8") as f:
        entries = json.load(f)
    flags = {}
    for entry in entries:
        layer = os.path.relpath(os.path.join(entry["directory"], entry["file"]), TOP).split("/")[0]
        words = shlex.split(entry["command"])
        if any(w.endswith(f"/layers/{layer}") for w in words):  # not a file that several layers compile
            flags.setdefault(layer, (entry["directory"], [
                w for w in words if w.startswith(("-I", "-D", "-W", "-std", "-f", "-m")) and w != "-MD"]))

    def one(header):
        layer = header.split("/")[0]
        if layer not in flags:
            report.fail(f"header {header}", f"no source of {layer}/ is in the build")
            return
        folder, options = flags[layer]
        status, _, err = command(["gcc", *options, "-include", header, "-fsyntax-only", "-x", "c", os.devnull], cwd=folder)
        report.result(f"header {header}", [err] if status else [])

    in_parallel(one, [h for h in tracked(".h") if os.path.isdir(os.path.join(build.folder, "layers", h.split("/")[0]))])


def no_global_state(report, build):
    """No library of ours but the platform's holds a variable that outlives a call."""
    for layer in sorted(os.listdir(os.path.join(build.folder, "layers"))):
        library = os.path.join(build.folder, f"libptt-{layer}.a")
        if layer in MAY_HOLD_STATE or layer in PROGRAMS:
            continue
        status, out, err = command(["objdump", "-t", library])
        if status != 0:
            report.fail(f"global state {layer}", err)
            continue
        found = [line for line in out.splitlines()
                 if re.search(r"\s(\.data|\.bss|\.tdata|\.tbss|\*COM\*)\s+0*[1-9a-f][0-9a-f]*\s", line)
                 and not re.search(r"\s(__|_ZTS)?(asan|ubsan|gcov)", line)]
        report.result(f"global state {layer}", [f"{layer}/ holds state: {line}" for line in found])


def fuzz(report, root, seconds):
    status, out, err = command([os.path.join(TOP, "tools", "fuzz"), str(seconds), root], timeout=7200)
    for line in re.findall(r"^ok (.*)$", out, re.M):
        report.ok(line)
    for line in re.findall(r"^not ok (.*)$", out, re.M):
        report.fail(line, "libFuzzer found an input", err)
    if status != 0 and "not ok" not in out:
        report.fail("fuzzers", f"exit status {status}", out[-4000:] + err)
