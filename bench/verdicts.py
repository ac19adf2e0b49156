# SPDX-License-Identifier: ISC
"""All verdicts on a message and three signatures (DKIM, ARC-Message-Signature, ARC-Seal), the DNS remembered: ours
in one program, and rspamd, told to do that and nothing else, over its HTTP port."""
import http.client
import json
import os
import shutil

from letters import AUTHOR, CLIENT, LIST, SIZES, Letters
from measure import Broken, cpu_seconds, one_core, rows

from lib import rig

SECONDS, SECONDS_SMOKE = 2, 0.02
RATIO = (3.3, 7, 50)
PORT = 11333
SYMBOLS = {"R_SPF_ALLOW", "R_DKIM_ALLOW", "DMARC_POLICY_ALLOW", "ARC_ALLOW", "DKIM_SIGNED", "ARC_SIGNED"}
SIGNS = """{{ sign_inbound = true; use_domain = "recipient"; use_esld = false; allow_hdrfrom_mismatch = true;
  allow_username_mismatch = true; domain {{ {list} {{ path = "{key}"; selector = "s1"; }} }} }}"""
CONF = """\
options {{
  pidfile = "{home}/rspamd.pid"; tempdir = "{home}"; cache_file = "{home}/symbols.cache"; hs_cache_dir = "{home}/";
  control_socket = "{home}/control.sock mode=0600"; url_tld = "{tld}";
  filters = "dkim"; check_all_filters = true; local_addrs = ["10.0.0.0/8"]; history_rows = 1; max_message = 50mb;
  task_timeout = 120s; dns {{ nameserver = ["{dns}"]; }}
}}
logging {{ type = "console"; level = "error"; }}
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; mime = true; task_timeout = 120s; }}
modules {{
  path = "{plugins}/spf.lua"; path = "{plugins}/dmarc.lua"; path = "{plugins}/dkim_signing.lua"; path = "{plugins}/arc.lua";
}}
actions {{ reject = 1000; }}
spf {{ spf_cache_size = 2k; spf_cache_expire = 1d; }}
dkim {{ dkim_cache_size = 2k; dkim_cache_expire = 1d; time_jitter = 100d; }}
dmarc {{ }}
arc """ + SIGNS + "\ndkim_signing " + SIGNS + "\n"


class Rspamd:
    def __init__(self, world, letters):
        self.home = os.path.join(world.folder, "rspamd")
        os.makedirs(self.home, exist_ok=True)
        tld = world.file("tld", "test\n")  # with the list of all it takes long to start, and no less for a message
        conf = world.file("rspamd.conf", CONF.format(home=self.home, dns=rig.DNS, port=PORT, list=LIST, key=letters.key,
                                                     tld=tld, plugins="/usr/share/rspamd/plugins"))
        self.process = world.start("rspamd", ["rspamd", "-f", "-i", "-c", conf])
        self.process.wait_listens("127.0.0.1", PORT, 120)

    def check(self, message):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=300)
        connection.request("POST", "/checkv2", message, {
            "IP": CLIENT, "Helo": f"mail.{AUTHOR}", "From": f"author@{AUTHOR}", "Rcpt": f"list@{LIST}"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        missing = SYMBOLS - set(answer.get("symbols", ()))
        if missing:
            raise Broken(f"rspamd did not say {', '.join(sorted(missing))}")

    def rate(self, message, seconds):
        """Of all of its processes, once its caches are warm; a CPU second is counted in ticks, so some must pass."""
        self.check(message)
        begin, spent, count = cpu_seconds(self.process.pid), 0, 0
        while spent < seconds or count == 0:
            self.check(message)
            count += 1
            spent = cpu_seconds(self.process.pid) - begin
        return count / max(spent, 0.01)


def start(world, table, letters):
    if not shutil.which("rspamd", path=rig.search_path()):
        table.skip("rspamd", "skipped: it is not installed")
        return None
    return Rspamd(world, letters)


def run(world, table, scale):
    seconds = SECONDS_SMOKE if scale.smoke else SECONDS
    letters = {size: Letters(world, world.folder, size) for size in SIZES}
    first = next(iter(letters.values()))
    world.start_knot(test_zone=rig.TEST_ZONE + first.zone())
    rspamd = start(world, table, first)
    table.head("all verdicts and three signatures")
    for i, (size, name) in enumerate(SIZES.items()):
        one, runs = letters[size], []
        with open(one.sealed, "rb") as f:
            message = f.read()
        for _ in range(scale.repeats):
            ours = rows(world, "verdicts", one.key, one.sealed, f"udp:{rig.DNS}", seconds, before=one_core())
            runs.append({"ours": ours["each-cpu-second"]})
            if rspamd:
                runs[-1]["peer"] = rspamd.rate(message, seconds)
        table.pairs(f"verdicts {name}", runs, RATIO[i])
