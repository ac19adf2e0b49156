#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The systemd units: they are well formed, leave little open, and both servers work, and stop in order, under their
system call filters, where a call that is not listed would kill them."""
import ctypes.util
import os
import re
import shutil
import subprocess
import sys

from lib import exposition, rig
from lib.mail import AUTHOR, LIST, message
from lib.rig import LIPAP, NEC, POSTER, Skip, check, equal, until
from lib.smtp import Smtp

UNITS = ("nec", "lipap")
EXPOSURE_MAX = 1.5  # of 10, as systemd-analyze counts it
FOLDER = os.path.dirname(os.path.abspath(__file__))


def unit(world, name):
    """The unit as it was built, but with our program and readable settings."""
    with open(os.path.join(world.build, "systemd", name + ".service"), encoding="utf-8") as f:
        text = f.read()
    check("@" not in re.sub(r"SystemCallFilter=.*", "", text), "something was not replaced")
    text = re.sub(r"^ExecStart=\S+", "ExecStart=" + world.program(name), text, flags=re.M)
    return world.file(name + ".service", text)


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def well_formed(path):
    status, said = analyze("verify", "--man=no", path)
    mine = [line for line in said.split("\n") if os.path.basename(path) in line]
    check(status == 0 and not mine, said)


def little_open(path):
    status, said = analyze("security", "--offline=true", "--no-pager", f"--threshold={int(EXPOSURE_MAX * 10)}", path)
    check(status == 0, "\n".join(line for line in said.split("\n") if "✗" in line or "exposure" in line))


def settings_are_options(world, path, name):
    """What the unit puts on the command line is known to the program."""
    with open(path, encoding="utf-8") as f:
        line = re.search(r"^ExecStart=(.*)", f.read(), re.M)[1]
    known = world.run(name, "--help").decode()
    for option in re.findall(r"(--\S+)", line):
        check(f"{option} " in known, f"{option} is no option of {name}")


def filtered(path, argv):
    return [sys.executable, os.path.join(FOLDER, "lib", "seccomp.py"), path, *argv]


def kills_what_is_not_listed(world, path):
    """The filter is in force, or the cases behind this one say nothing."""
    done = subprocess.run(filtered(path, ["/bin/mkdir", os.path.join(world.folder, "not-allowed")]), timeout=20,
                          capture_output=True)
    equal(done.returncode, -31, "mkdir under the filter (SIGSYS)")


def is_sanitized(path):
    with open(path, "rb") as f:
        return b"__asan_init" in f.read()


def at_work(world, paths):
    sink = world.start_sink()
    nec = world.start("nec", filtered(paths["nec"], world.nec_argv(more=["--metrics", NEC])))
    nec.wait_listens(NEC)
    world.wait_ready(nec)
    world.create([AUTHOR, "bea@sub1.test"])
    lipap = world.start("lipap", filtered(paths["lipap"], world.lipap_argv(["--metrics", LIPAP])))
    lipap.wait_log(r"event=ready\b", 30)
    with Smtp(LIPAP, source=POSTER) as s:
        s.command("EHLO poster.author.test")
        equal(s.post(AUTHOR, [LIST], message(b"x" * 70 + b"\r\n" + 60000 * b"0123456789012345678\r\n"))[:3], "250", "post")
    sink.wait(2, 30)
    exposition.scrape(NEC)
    until(10, "the queue is empty", lambda: exposition.scrape(LIPAP)["lipap_queue_messages", ()] == 0)
    equal((lipap.stop(), nec.stop()), (0, 0), "exit status")


def run(world):
    if not shutil.which("systemd-analyze") or not ctypes.util.find_library("seccomp"):
        raise Skip("needs systemd-analyze and libseccomp")
    paths = {name: unit(world, name) for name in UNITS}
    for name, path in paths.items():
        with world.case(f"{name}.service is well formed"):
            well_formed(path)
        with world.case(f"{name}.service leaves little open"):
            little_open(path)
        with world.case(f"{name}.service names options of {name}"):
            settings_are_options(world, path, name)
        with world.case(f"the filter of {name}.service kills"):
            kills_what_is_not_listed(world, path)
    if is_sanitized(world.program("nec")):
        print("skip nec and lipap at work under their filters: a sanitizer makes calls of its own", flush=True)
        return
    world.start_knot()
    with world.case("nec and lipap at work under their filters"):
        at_work(world, paths)


rig.main(run, ["nec", "lipap", "ptt"])
