# SPDX-License-Identifier: ISC
"""Debian's Exim, as Mta wants it."""
from lib.mta import DOOR, Mta
from lib.rig import POSTER

CONF = """\
primary_hostname = mx.@ZONE@
local_interfaces = @TLS@ : @CLEAR@
domainlist own = @ZONE@ : clear.@ZONE@
hostlist users = @POSTER@
acl_smtp_rcpt = rcpt
log_file_path = /var/log/exim_%s
log_selector = +all
tls_certificate = /etc/mx.crt
tls_privatekey = /etc/mx.key
tls_advertise_hosts = ${if eq{$received_ip_address}{@TLS@}{*}}
smtp_accept_max_per_connection = 3
smtp_accept_max_per_host = 2
queue_run_max = 2
smtp_accept_queue_per_connection = 0
rfc1413_query_timeout = 0s
write_rejectlog = false
bounce_return_size_limit = 20K
delay_warning = 2s
delay_warning_condition = yes

begin acl
rcpt:
  accept hosts = +users
  require message = 550 5.7.1 no relaying here
    domains = +own
  require message = 550 5.1.1 nobody of that name
    verify = recipient
  warn set acl_m_door = ${readsocket{inet:@DOOR@}{$local_part@$domain\\n}{10s}{}{}}
  defer message = $acl_m_door
    condition = ${if match{$acl_m_door}{\\N^4\\N}}
  accept

begin routers
abroad:
  driver = dnslookup
  domains = ! +own
  transport = ${if match_domain{$sender_address_domain}{clear.@ZONE@}{clear}{smtp}}
  no_more
forward:
  driver = redirect
  local_parts = lsearch;/etc/forwards
  data = $local_part_data
holiday:
  driver = accept
  local_parts = holiday
  transport = vacation
user:
  driver = accept
  local_parts = lsearch;/etc/users
  address_data = $local_part_data
  transport = mailbox

begin transports
smtp:
  driver = smtp
  interface = @TLS@
clear:
  driver = smtp
  interface = @CLEAR@
  hosts_avoid_tls = *
mailbox:
  driver = appendfile
  directory = /var/mail/$address_data
  maildir_format
  user = vmail
  group = vmail
  return_path_add
  envelope_to_add
vacation:
  driver = autoreply
  user = vmail
  to = $sender_address
  subject = Re: $h_subject:
  text = I am on vacation. What you wrote could not be delivered to my desk.\\n

begin retry
* * F,1h,2s
"""


class Exim(Mta):
    name, zone, clear, host = "exim", "exim.test", "clear.exim.test", 21
    package, program, argv = "exim4-daemon-light", "/usr/sbin/exim4", "/usr/sbin/exim4 -bdf -q2s"
    has_vacation = True
    session_of_message = r" <= \S+-return-\S+@mailingl\.st .*(\[[0-9.]+\]:\d+) I="

    def configure(self):
        text = CONF
        for name, value in (("@ZONE@", self.zone), ("@TLS@", self.addresses[self.zone]), ("@POSTER@", POSTER),
                            ("@CLEAR@", self.addresses[self.clear]), ("@DOOR@", f"{DOOR[0]}:{DOOR[1]}")):
            text = text.replace(name, value)
        self.file("etc/exim4/exim4.conf", text)
        self.file("etc/users", "".join(f"{user}: {user}\n" for user in self.users))
        self.file("etc/forwards", "".join(f"{user}: {to}\n" for user, to in self.forwards.items()))
        self.folder("var/spool/exim4", "Debian-exim", 0o750)
        self.folder("var/log", "Debian-exim")
        for name in ("crt", "key"):
            self.own(f"etc/mx.{name}", "Debian-exim")

    def log(self):
        return super().log() + self.read("var/log/exim_main") + self.read("var/log/exim_panic")
