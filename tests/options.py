#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The command lines of the programs: --help and --version, and what a wrong option gets: one line that names it, and
exit status 64 (blaze: 124)."""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAMS = {"nec": 64, "lipap": 64, "ptt": 64, "blaze": 124}
SECRET = "c2VjcmV0IHRoYXQgbXVzdCBub3QgYmUgcHJpbnRlZA"
NEC = ["--domain", "mailingl.st", "--password", SECRET + "==", "--dns-server", "127.0.0.1", "--dns-key",
       f"k._update.mailingl.st:SHA256:{SECRET}==", "--destination", "127.0.0.2"]
LIPAP = ["--image", "/nonexistent/lipap.img", "--domain", "mailingl.st", "--hostname", "mx.mailingl.st", "--signer",
         "127.0.0.3", "--signer-network", "127.0.0.0/8", "--nameserver", "udp:127.0.0.1", "--password", SECRET + "=="]
PLAN = ["dns", "--domain", "mailingl.st", "--hostname", "mx.mailingl.st", "--ipv4", "192.0.2.1"]
# (program, arguments, what the one line names)
WRONG = [
    ("nec", ["--no-such-option"], "--no-such-option"),
    ("nec", ["--no-such-option=1"], "--no-such-option"),
    ("nec", NEC[2:], "--domain"),
    ("nec", NEC[:2] + NEC[4:], "--password"),
    ("nec", NEC + ["--destination", "127.0.0.3"], "--destination"),
    ("nec", NEC + ["--overlap", "soon"], "--overlap"),
    ("nec", NEC + ["--overlap", "5d"], "--overlap"),
    ("nec", NEC + ["--overlap", "30d"], "--overlap"),
    ("nec", NEC + ["--overlap", "29d"], "too many keys"),
    ("nec", NEC + ["--overlap", "4d", "--rotation-test"], "--overlap"),
    ("nec", NEC + ["--ttl", "0s"], "--ttl"),
    ("nec", NEC + ["--selector", "dkim"], "--selector"),
    ("nec", NEC + ["--arc-selector", "a.%d"], "--arc-selector"),
    ("nec", NEC + ["--arc-selector", "DKIM-%d"], "--arc-selector"),
    ("nec", NEC + ["--arc-selector", "dkim-ed25519-%d"], "--arc-selector"),
    ("nec", NEC + ["--algorithm", "ed25519"], "--algorithm"),
    ("nec", NEC + ["--algorithm", "rsa/2048,dsa"], "--algorithm"),
    ("nec", NEC + ["--replace", "--revoke"], "--revoke"),
    ("nec", NEC + ["--same-password"], "--same-password"),
    ("nec", NEC + ["--listen", "localhost"], "--listen"),
    ("nec", NEC + ["--nameserver", "udp:localhost"], "--nameserver"),
    ("nec", NEC + ["--authserv-id", "mx example.org"], "--authserv-id"),
    ("nec", NEC + ["--domain"], "--domain"),
    ("nec", ["--domain", "not a domain"] + NEC[2:], "--domain"),
    ("nec", NEC[:2] + ["--password", "c2hvcnQ="] + NEC[4:], "password"),
    ("nec", NEC[:6] + ["--dns-key", f"k._update.elsewhere.test:SHA256:{SECRET}=="] + NEC[8:], "--dns-key"),
    ("nec", NEC[:6] + ["--dns-key", f"k:MD5:{SECRET}=="] + NEC[8:], "--dns-key"),
    ("nec", NEC + ["--metrics", "localhost"], "--metrics"),
    ("nec", ["--domain", "two\nlines\x1b[2J"] + NEC[2:], "--domain"),
    ("nec", ["--no\nsuch"], "--no?such"),
    ("nec", NEC + ["two\nlines"], "two?lines"),
    ("nec", NEC[:4] + ["--dns-server", "two\nlines"] + NEC[6:], "--dns-server"),
    ("nec", NEC + ["--dns-key-file", "two\nlines"], "--dns-key-file"),
    ("lipap", ["--domain", "two\nlines\x1b[2J"] + LIPAP, "--domain"),
    ("lipap", LIPAP + ["two\nlines"], "two?lines"),
    ("ptt", ["no\nsuch"], "no?such"),
    ("ptt", ["create", "--no\nsuch"], "--no?such"),
    ("blaze", ["no\nsuch"], "no?such"),
    ("blaze", ["dkim", "verify", "--no\nsuch"], "--no?such"),
    ("blaze", ["dkim", "verify", "two\nlines"], "two?lines"),
    ("lipap", ["--no-such-option"], "--no-such-option"),
    ("lipap", LIPAP + ["--metrics", "10.0.0.2:99999"], "--metrics"),
    ("lipap", LIPAP[2:], "--image"),
    ("lipap", LIPAP[:6] + LIPAP[8:], "--signer"),
    ("lipap", LIPAP + ["--max-message", "big"], "--max-message"),
    ("lipap", LIPAP + ["--authserv-id", "not a name"], "--authserv-id"),
    ("lipap", LIPAP + ["--selector", "dkim"], "--selector"),
    ("lipap", LIPAP + ["--arc-selector", "a.%d"], "--arc-selector"),
    ("lipap", LIPAP + ["--tls-cert", "a.pem"], "--tls-key"),
    ("lipap", LIPAP + ["--greet-delay", "2m"], "--greet-delay"),
    ("lipap", LIPAP + ["--tarpit", "31s"], "--tarpit"),
    ("lipap", LIPAP + ["--sessions", "99"], "--sessions"),
    ("lipap", LIPAP + ["--sessions", "11265"], "--sessions"),
    ("lipap", LIPAP + ["--sessions-per-address", "many"], "--sessions-per-address"),
    ("lipap", LIPAP + ["--proxy-from", "everywhere"], "--proxy-from"),
    ("lipap", LIPAP + ["--relay", "smart host"], "--relay"),
    ("lipap", LIPAP + ["--relay", "relay.example:0"], "--relay"),
    ("lipap", LIPAP + ["--dns-server", "127.0.0.1"], "--dns-key"),
    ("lipap", LIPAP + ["--dns-key", f"k:MD5:{SECRET}=="], "--dns-key"),
    ("lipap", LIPAP[:-2] + ["--password", f"*{SECRET}"], "--password"),
    ("ptt", ["create", "--no-such-option"], "--no-such-option"),
    ("ptt", ["dns", "--hostname", "mx.mailingl.st", "--ipv4", "192.0.2.1"], "--domain"),
    ("ptt", PLAN[:3] + PLAN[5:], "--hostname"),
    ("ptt", PLAN[:5], "--ipv4"),
    ("ptt", PLAN[:5] + ["--ipv4", "2001:db8::1"], "--ipv4"),
    ("ptt", PLAN + ["--ipv6", "192.0.2.1"], "--ipv6"),
    ("ptt", PLAN + ["--selector", "dkim"], "dkim"),
    ("ptt", PLAN + ["--check"], "-n"),
    ("ptt", PLAN + ["--check", "-n", "nowhere"], "nowhere"),
    ("ptt", PLAN + ["-n", "tcp:127.0.0.1"], "--check"),
    ("blaze", ["dkim", "verify", "--no-such-option"], "--no-such-option"),
    ("blaze", ["dkim", "sign"], ""),
    ("blaze", ["dkim"], "dkim"),
    ("blaze", ["no-such-command"], "no-such-command"),
    ("blaze", ["dkim", "verify", "-n", "udp:nowhere"], "udp:nowhere"),
]


def run(build, name, arguments):
    done = subprocess.run([os.path.join(build, "app", name), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=20)
    return done.returncode, done.stdout, done.stderr


def wrong(build, name, arguments, named):
    """What is not as it should be, or None."""
    status, out, err = run(build, name, arguments)
    if status != PROGRAMS[name]:
        return f"exit status {status}, not {PROGRAMS[name]}: {err!r}"
    if out or err.count("\n") != 1 or not err.endswith("\n"):
        return f"not one line on standard error alone: {out!r} {err!r}"
    if named not in err:
        return f"does not name {named}: {err!r}"
    if SECRET in err:
        return "prints a secret"
    return None


def commands(build, name):
    """The commands of ptt and blaze, and the groups of blaze, as --help has them."""
    found = re.findall(r"^  (?:blaze )?([a-z]+(?:-[a-z]+)?(?: [a-z]+)?) ", run(build, name, ["--help"])[1], re.M)
    return [c.split() for c in found] + sorted([g] for g in {c.split()[0] for c in found if " " in c})


def usual(build, name, command=()):
    for option, pattern in (("--help", rf"{name}\b[^$]*--"), ("--version", r"\d+\.\d+\.\d+")):
        status, out, err = run(build, name, [*command, option])
        if status != 0 or err or not re.search(pattern, out):
            return f"{option}: status {status}, {out!r} {err!r}"
    return None


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as f:
        return f.read()


def documented(build, name):
    """--help, the man page and both completions name the same options of a server; what a unikernel has in addition
    stands in a section of its own, as `host/guest/options.c` reads it."""
    wanted = set(re.findall(r"^  (?:-., )?--([a-z0-9-]+)", run(build, name, ["--help"])[1], re.M))
    page, _, guest = read("man", name + ".1").partition(".Sh UNIKERNEL")
    network = set(re.findall(r'\{"([a-z0-9-]+)", [46],', read("host", "guest", "options.c")))
    named = set(re.findall(r"\bFl -(ip[a-z0-9-]+)", guest))
    if not network or named != network:
        return f"options of the unikernel: {sorted(network ^ named)} on one side alone"
    synopsis = set(re.findall(r"\bFl -([a-z0-9-]+)", page.split(".Sh DESCRIPTION")[0]))
    described = set(re.findall(r"^\.It Fl -([a-z0-9-]+)", page, re.M)) | {"help", "version"}
    for where, found in (("synopsis of the man page", synopsis), ("paragraphs of the man page", described),
                         ("bash", set(re.findall(r"--([a-z0-9-]+)", read("completions", name + ".bash")))),
                         ("zsh", set(re.findall(r"--([a-z0-9-]+)\[", read("completions", "_" + name))))):
        if found != wanted:
            return f"{where}: {sorted(wanted - found)} missing, {sorted(found - wanted)} unknown"
    return None


def main(build):
    failed = False
    cases = [(f"{n} --help and --version", lambda n=n: usual(build, n)) for n in PROGRAMS]
    cases += [(f"{n} {' '.join(c)} --help and --version", lambda n=n, c=c: usual(build, n, c))
              for n in ("ptt", "blaze") for c in commands(build, n)]
    cases += [(f"{n}: man page and completions", lambda n=n: documented(build, n)) for n in ("nec", "lipap")]
    for number, (name, arguments, named) in enumerate(WRONG):
        cases.append((f"{name} wrong {number} ({named or arguments[0]})",
                      lambda a=(name, arguments, named): wrong(build, *a)))
    for name, case in cases:
        try:
            fault = case()
        except (OSError, subprocess.TimeoutExpired) as e:
            fault = str(e)
        failed = failed or fault is not None
        print(f"not ok {name}: {fault}".replace(SECRET, "SECRET") if fault else f"ok {name}", flush=True)
    return 1 if failed else 0


if len(sys.argv) != 2:
    sys.exit(f"usage: {sys.argv[0]} BUILD-FOLDER")
sys.exit(main(os.path.abspath(sys.argv[1])))
