# SPDX-License-Identifier: ISC
"""mailauth, an implementation of DKIM, ARC and DMARC for Node.js, as a peer. It is no Debian package: npm brings it, with a
Node.js that is new enough, into BUILD_DIR/mailauth-VERSION, once; outside of the network that a script makes for itself."""
import fcntl
import json
import os
import shutil
import subprocess

PEER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "interop", "mailauth_peer.cjs")
VERSION, NODE = "7.1.0", "22"
MACHINES = {"x86_64": "x64", "aarch64": "arm64"}
MISSING = f"mailauth {VERSION}: npm cannot give it and Node.js {NODE} here"


def node_of(folder):
    """The Node.js that came with it."""
    return os.path.join(folder, "node_modules", f"node-linux-{MACHINES.get(os.uname().machine)}", "bin", "node")


def install(folder, machine):
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix", folder,
                    f"mailauth@{VERSION}", f"node-linux-{machine}@{NODE}"], stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=150, check=False)


def fetch(build):
    """The folder of its modules, or None when npm cannot give it. Outside of any network that a script makes for itself;
    scripts that run at the same time wait for one another."""
    folder = os.path.join(build, f"mailauth-{VERSION}")
    machine = MACHINES.get(os.uname().machine)
    if not os.path.exists(node_of(folder)) and shutil.which("npm") and machine:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(node_of(folder)):
                install(folder, machine)
    return folder if os.path.exists(node_of(folder)) else None


class Mailauth:
    """One process that judges messages; `zone_path` has lines NAME<TAB>TXT."""

    def __init__(self, folder, zone_path):
        self.process = subprocess.Popen(
            [node_of(folder), PEER, folder, zone_path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, path):
        """What mailauth_peer.cjs prints for the message in that file."""
        self.process.stdin.write(path + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)
