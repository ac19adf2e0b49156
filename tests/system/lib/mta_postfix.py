# SPDX-License-Identifier: ISC
"""This machine's Postfix, as Mta wants it."""
import os
import re
import shutil

from lib.mta import DOOR, Mta
from lib.rig import POSTER

SERVICES = """\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
MAIN = """\
compatibility_level = 3.6
maillog_file = /var/log/postfix
maillog_file_prefixes = /var
myhostname = mx.{zone}
mydestination =
inet_protocols = ipv4
alias_maps =
alias_database =
biff = no
mynetworks = {poster}/32
smtpd_peername_lookup = no
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
delay_warning_time = 2s
virtual_mailbox_domains = {domains}
virtual_mailbox_base = /var/mail
virtual_mailbox_maps = texthash:/etc/postfix/users
virtual_alias_maps = texthash:/etc/postfix/forwards
virtual_uid_maps = static:9006
virtual_gid_maps = static:9006
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_recipient_restrictions = permit_mynetworks, reject_unlisted_recipient, check_policy_service inet:{door}
smtpd_client_connection_count_limit = 2
smtpd_client_event_limit_exceptions =
smtpd_tls_chain_files = /etc/mx.key, /etc/mx.crt
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtp_tls_loglevel = 1
smtp_tls_security_level = may
smtp_bind_address = {tls}
smtputf8_enable = yes
sender_dependent_default_transport_maps = regexp:/etc/postfix/transports
"""
MASTER = """\
{tls}:25 inet n - n - - smtpd -o smtpd_tls_security_level=may
{clear}:25 inet n - n - - smtpd -o smtpd_tls_security_level=none
clear unix - - n - - smtp -o smtp_tls_security_level=none -o smtp_bind_address={clear} -o syslog_name=postfix/clear
tlsmgr unix - - n 1000? 1 tlsmgr
scache unix - - n - 1 scache
virtual unix - n n - - virtual
"""


class Postfix(Mta):
    name, zone, clear, host = "postfix", "postfix.test", "clear.postfix.test", 20
    program, argv = "/usr/sbin/postfix", "/usr/sbin/postfix start-fg"

    def configure(self):
        domains = (self.zone, self.clear, *self.more)
        put = {"zone": self.zone, "domains": ", ".join(domains), "tls": self.addresses[self.zone],
               "clear": self.addresses[self.clear], "poster": POSTER, "door": f"{DOOR[0]}:{DOOR[1]}"}
        shutil.copytree("/etc/postfix", os.path.join(self.root, "etc/postfix"))
        self.file("etc/postfix/main.cf", MAIN.format(**put))
        self.file("etc/postfix/master.cf", MASTER.format(**put) + SERVICES)
        self.file("etc/postfix/users", "".join(f"{user}@{zone} {user}/\n" for user in self.users for zone in domains))
        self.file("etc/postfix/forwards", "".join(f"{user}@{zone} {to}\n" for user, to in self.forwards.items()
                                                  for zone in domains))
        self.file("etc/postfix/transports", "/@clear\\./ clear:\n")
        self.folder("var/spool/postfix")
        self.folder("var/lib/postfix", "postfix")

    def most_in_one(self):
        return max(map(int, re.findall(r"disconnect from .* mail=(\d+)", self.log())), default=0)

    def log(self):
        return super().log() + self.read("var/log/postfix")
