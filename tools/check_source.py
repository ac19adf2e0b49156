# SPDX-License-Identifier: ISC
"""Checks that read the sources: licence lines, layers, banned words, format."""
import re

from check_report import command, in_parallel, read, tracked

# Words that may not be called, and where: (pattern over code without comments and strings, reason, folders; None is all).
# A call through a structure (`ops->random(...)`) is none of these.
CODECS = ("mail", "dns", "smtp", "auth", "list")
PURE = CODECS + ("base", "crypto", "fiber", "store", "serve")


def calls(words):
    return rf"(?<![\w.>])(?:{words})\s*\("


BANNED = [
    (calls("strcpy|strcat|sprintf|vsprintf|strtok|strncpy|strncat|atoi|atol|atof|gets|scanf|sscanf|alloca"),
     "banned everywhere", None),
    (calls("rand|srand|random|srandom|drand48"), "randomness comes from host.h", None),
    (calls("time|gettimeofday|clock_gettime|localtime|gmtime|mktime|sleep|usleep|nanosleep"), "time comes from host.h",
     PURE + ("app",)),
    (calls(r"socket|epoll_\w+|fork|pthread_\w+"), "only host/ speaks to the platform", PURE + ("app",)),
    (r"^\s*#\s*include\s*<(sys/socket|netinet/|arpa/|pthread|time|sys/time|sys/epoll|unistd|fcntl|errno)",
     "only host/ speaks to the platform", PURE),
    (r"\berrno\b", "errno stays inside host/ and the programs' own files", PURE),
    (r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*\b(__linux__|__APPLE__|_WIN32|__FreeBSD__)", "no platform #if outside host/",
     PURE + ("app",)),
    (calls("strlen|strnlen|strchr|strrchr|strstr|strcmp|strcasecmp|strtol|strtoul|isalpha|isdigit|isspace|isalnum|tolower"
           "|toupper"), "codecs work on slices", CODECS),
    (calls("printf|fprintf|snprintf|vsnprintf|malloc|calloc|realloc|free|strdup"), "codecs do not print or allocate",
     CODECS),
]
# Files that may do what their folder may not.
EXCEPT = set()
# A test, a fuzzer and a driver are programs of their own: only the words banned everywhere hold for them, and for the
# headers that nothing else includes.
PROGRAM = re.compile(r"_(test|fuzz|driver)\.c$")
NOT_CODE = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
SPDX = "SPDX-License-Identifier: ISC"


def code_only(text):
    """The text with comments, strings and characters blanked, line numbers kept."""
    return NOT_CODE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def banned_words(name, is_program=False):
    folder, code, found = name.split("/")[0], code_only(read(name)), []
    for pattern, reason, folders in BANNED:
        if folders is not None and (folder not in folders or is_program or name in EXCEPT):
            continue
        for match in re.finditer(pattern, code, re.M):
            line = code.count("\n", 0, match.start()) + 1
            found.append(f"{name}:{line}: {match.group().strip()} ({reason})")
    return found


def only_in_programs(names):
    """Tests, fuzzers, drivers, and the headers that only these include."""
    programs = {n for n in names if PROGRAM.search(n)}
    todo = [n for n in names if n.endswith(".c") and n not in programs]
    seen = set(todo)
    while todo:
        for header in re.findall(r'^\s*#\s*include\s*"([^"]+)"', read(todo.pop()), re.M):
            if header in names and header not in seen:
                seen.add(header)
                todo.append(header)
    unused = {n for n in names if n.endswith(".h") and n not in seen}
    included = {h for n in programs | unused for h in re.findall(r'^\s*#\s*include\s*"([^"]+)"', read(n), re.M)}
    return programs | (unused & included)


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
    programs = only_in_programs(set(c))
    for name in c:
        report.result(f"banned words {name}", banned_words(name, name in programs))
    status, out, err = command(["tools/layers", "check"])
    report.result("layers", (out + err).splitlines() if status else [])
    formatted(report, c)


def is_script(name):
    """A script without an ending, such as tools/layers."""
    return "." not in name.rsplit("/", 1)[-1] and read(name).startswith("#!")
