# SPDX-License-Identifier: ISC
"""Checks that read the sources: licence lines, layers, banned words, format."""
import re

from check_report import command, in_parallel, read, tracked

# Words that may not be called, and where: (pattern over code without comments and strings, reason, folders; None is all).
CODECS = ("base", "mail", "dns", "smtp", "auth", "list")
PURE = CODECS + ("crypto", "fiber", "store", "serve", "app")
BANNED = [
    (r"\b(strcpy|strcat|sprintf|vsprintf|strtok|strncpy|strncat|atoi|atol|atof|gets|scanf|sscanf|alloca)\s*\(",
     "banned everywhere", None),
    (r"\b(rand|srand|random|srandom|drand48)\s*\(", "randomness comes from host.h", None),
    (r"\b(time|gettimeofday|clock_gettime|localtime|gmtime|mktime|sleep|usleep|nanosleep)\s*\(",
     "time comes from host.h", PURE),
    (r"\b(socket|connect|accept|bind|epoll_\w+|fork|pthread_\w+)\s*\(", "only host/ speaks to the platform", PURE),
    (r"\berrno\b", "errno stays inside host/ and the programs' own files", PURE[:-1]),
    (r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*\b(__linux__|__APPLE__|_WIN32|__FreeBSD__)", "no platform #if outside host/",
     PURE),
    (r"\b(strlen|strnlen|strchr|strrchr|strstr|strcmp|strcasecmp|strtol|strtoul|isalpha|isdigit|isspace|isalnum|tolower"
     r"|toupper)\s*\(", "codecs work on slices", CODECS[1:]),
    (r"\b(printf|fprintf|snprintf|vsnprintf|malloc|calloc|realloc|free|strdup)\s*\(",
     "codecs do not print or allocate", CODECS[1:]),
]
# A test, a fuzzer and a driver are programs of their own: only the words banned everywhere hold for them.
PROGRAM = re.compile(r"_(test|fuzz|driver)\.c$|_test_\w+\.[ch]$")
NOT_CODE = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
SPDX = "SPDX-License-Identifier: ISC"


def code_only(text):
    """The text with comments, strings and characters blanked, line numbers kept."""
    return NOT_CODE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def banned_words(name):
    folder, code, found = name.split("/")[0], code_only(read(name)), []
    for pattern, reason, folders in BANNED:
        if folders is not None and (folder not in folders or PROGRAM.search(name)):
            continue
        for match in re.finditer(pattern, code, re.M):
            line = code.count("\n", 0, match.start(1) if match.groups() else match.start()) + 1
            found.append(f"{name}:{line}: {match.group().strip()} ({reason})")
    return found


def licence(name):
    return [] if SPDX in "".join(read(name).splitlines(True)[:3]) else [f"{name}: no SPDX line at its head"]


def formatted(report, names):
    status, out, _ = command(["clang-format", "--version"])
    version = re.search(r"version (\d+)", out)
    if status != 0 or not version or version.group(1) != "14":
        have = version.group(1) if version else "none"
        report.skip("clang-format", f"needs version 14, whose layout is the tree's; here: {have}")
        return

    def one(name):
        status, _, err = command(["clang-format", "--dry-run", "-Werror", name])
        report.result(f"format {name}", [err] if status else [])

    in_parallel(one, names)


def check(report):
    c = tracked(".c", ".h")
    ours = c + tracked(".S", ".py", ".pl", ".sh", "meson.build", "meson_options.txt", "Makefile", ".clang-format")
    for name in ours + [n for n in tracked("") if is_script(n)]:
        report.result(f"licence {name}", licence(name))
    for name in c:
        report.result(f"banned words {name}", banned_words(name))
    status, out, err = command(["tools/layers", "check"])
    report.result("layers", (out + err).splitlines() if status else [])
    formatted(report, c)


def is_script(name):
    """A script without an ending, such as tools/layers."""
    return "." not in name.rsplit("/", 1)[-1] and read(name).startswith("#!")
