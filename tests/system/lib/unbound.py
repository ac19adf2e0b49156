# SPDX-License-Identifier: ISC
"""A resolver that validates: unbound, which asks the knot of the test and nobody else."""
from lib.rig import DNS


def dnskey(world, zone):
    """The key that signs the zone's keys, as a trust anchor."""
    keys = [r for r in world.query(zone, "DNSKEY") or [] if r.startswith("257 ")]
    return "DNSKEY " + keys[0] if keys else None


def start_unbound(world, address, anchors, more=""):
    """At `address`, with `anchors` by zone; test. is not signed. `more` goes into its server section."""
    conf = world.file("unbound.conf", f"""\
server:
  interface: {address}
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  use-syslog: no
  logfile: ""
  username: ""
  chroot: ""
  pidfile: ""
  directory: "{world.folder}"
  do-not-query-localhost: no
  module-config: "validator iterator"
  local-zone: "test." nodefault
  domain-insecure: "test"
{"".join(f'  trust-anchor: "{zone}. {key}"{chr(10)}' for zone, key in anchors.items())}{more}\
""" + "".join(f'stub-zone:\n  name: "{zone}"\n  stub-addr: {DNS}\n' for zone in (*anchors, "test"))
                      + "remote-control:\n  control-enable: no\n")
    process = world.start("unbound", ["unbound", "-d", "-p", "-c", conf])
    process.wait_listens(address, 53)
    return process
