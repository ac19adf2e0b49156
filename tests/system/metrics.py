#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What --metrics serves: pages that a strict reader takes, numbers that follow what happens, and health."""
import time

from lib import exposition, rig
from lib.mail import AUTHOR, LIST, message
from lib.rig import LIPAP, NEC, POSTER, check, equal, until
from lib.smtp import Smtp

DOMAIN = (("domain", "mailingl.st"),)
WRONG = [
    ("no colon", "x 1\n"),
    ("no type", "# HELP x X\nx 1\n"),
    ("counter's name", "# HELP x X\n# TYPE x counter\nx 1\n"),
    ("unit", "# HELP x_ms X\n# TYPE x_ms gauge\nx_ms 1\n"),
    ("twice", "# HELP x X\n# TYPE x gauge\nx 1\nx 2\n"),
    ("family twice", "# HELP x X\n# TYPE x gauge\nx 1\n# HELP x X\n"),
    ("label", '# HELP x X\n# TYPE x gauge\nx{a="b} 1\n'),
    ("label twice", '# HELP x X\n# TYPE x gauge\nx{a="b",a="c"} 1\n'),
    ("no number", "# HELP x X\n# TYPE x gauge\nx one\n"),
    ("negative counter", "# HELP x_total X\n# TYPE x_total counter\nx_total -1\n"),
    ("buckets fall", "# HELP x X\n# TYPE x histogram\n"
                     'x_bucket{le="1"} 2\nx_bucket{le="+Inf"} 1\nx_sum 1\nx_count 1\n'),
    ("no end", "# HELP x X\n# TYPE x gauge\nx 1"),
]


def reader_is_strict():
    exposition.read('# HELP x X\n# TYPE x gauge\nx{a="b\\"\\\\\\n",c=""} -1.5\n')
    for name, text in WRONG:
        try:
            exposition.read(text)
        except (AssertionError, KeyError):
            continue
        raise AssertionError(f"takes {name}")


def post():
    with Smtp(LIPAP, source=POSTER) as s:
        s.command("EHLO poster.author.test")
        equal(s.post(AUTHOR, [LIST], message())[:3], "250", "post")
        equal(s.post(AUTHOR, ["nobody@mailingl.st"], message())[:3], "550", "unknown recipient")


def health_before_a_key(world):
    """The zone's pointer belongs to another password: alive, and not able to serve."""
    equal(world.update("_ptt._domainkey", '"v=PTT1; e=1775138006; id=0011223344556677"'), "NOERROR", "pointer")
    nec = world.start_nec(ready=False, more=["--metrics", NEC])
    until(20, "health says why", lambda: "another password" in exposition.get(NEC, "/healthz")[2])
    equal(exposition.get(NEC, "/healthz")[0], 503, "status")
    values = exposition.scrape(NEC)
    equal(values["nec_domain_ready", DOMAIN], 0, "nec_domain_ready")
    with Smtp(NEC) as s:
        s.command("EHLO mta.test")
        check(s.command("MAIL FROM:<author@mailingl.st>").startswith("451"), "mail without a key")
    equal(exposition.scrape(NEC)["nec_refused_total", (("reason", "no_key"),)], 1, "refused for want of a key")
    nec.stop()
    equal(world.remove("_ptt._domainkey"), "NOERROR", "pointer away")


def pages_of_nec(world):
    equal(exposition.get(NEC, "/healthz")[::2], (200, "mailingl.st: ok\n"), "health")
    equal(exposition.get(NEC, "/healthz", method="HEAD")[::2], (200, ""), "health, HEAD")
    equal(exposition.get(NEC, "/")[0], 404, "another page")
    equal(exposition.get(NEC, "/metrics", method="POST")[0], 405, "POST")
    values = exposition.scrape(NEC)
    equal(values["nec_messages_signed_total", ()], 1, "signed")
    equal(values["nec_message_seconds_count", ()], 1, "latency")
    equal(values["nec_domain_ready", DOMAIN], 1, "ready")
    check(abs(values["nec_key_epoch_seconds", DOMAIN] - time.time()) < 600, "epoch is not of today")
    check(29.9 < values["nec_key_days_left", DOMAIN] <= 30, f"{values['nec_key_days_left', DOMAIN]} days left")
    equal(values["nec_message_memory_bytes", ()], 0, "memory between two messages")


def pages_of_lipap(world):
    equal(exposition.get(LIPAP, "/healthz")[::2], (200, "ok\n"), "health")
    values = exposition.scrape(LIPAP)
    equal(values["lipap_messages_accepted_total", ()], 2, "accepted: the post and its signed copy")
    equal(values["lipap_refused_total", (("code", "550"),)], 1, "refused")
    verdicts = {tuple(value for _, value in labels): count for (name, labels), count in values.items()
                if name == "lipap_verdicts_total" and count}
    equal(verdicts, {("spf", "pass"): 1, ("dkim", "none"): 1, ("dmarc", "none"): 1, ("arc", "none"): 1}, "verdicts")
    equal(values["lipap_handovers_total", ()], 1, "handed over")
    equal(values["lipap_deliveries_total", (("outcome", "delivered"),)], 2, "delivered")
    equal(values["lipap_deliveries_total", (("outcome", "failed"),)], 0, "failed")
    taken = {dict(labels)["destination"]: value for (name, labels), value in values.items()
             if name == "lipap_destination_deliveries_total" and ("outcome", "delivered") in labels}
    equal(sum(taken.values()), 2, f"delivered to the destinations {taken}")
    families = {name for name, _ in values}
    for name in ("lipap_destination_connections_total", "lipap_destination_connections",
                 "lipap_destination_connections_allowed", "lipap_destination_tls_total", "lipap_destination_waiting",
                 "lipap_destination_reply_seconds"):
        check(name in families, f"no {name}")
    equal(values["lipap_queue_messages", ()], 0, "queue")
    check(values["lipap_spool_limit_bytes", ()] > 0, "no limit of the spool")
    check(values["lipap_dns_queries_total", ()] > 0, "no DNS query")
    alarms = {labels[0][1]: value for (name, labels), value in values.items() if name == "lipap_alarm"}
    equal(alarms, dict.fromkeys(("signer-away", "signer-refuses", "disk-full", "dns-records", "queue-stuck",
                                 "certificate-ends"), 0), "alarms")


def queue_grows(world):
    """A message that waits for its signer is seen in the queue, with its age."""
    world.nec.stop()
    post()
    time.sleep(1.1)
    values = exposition.scrape(LIPAP)
    equal(values["lipap_queue_messages", ()], 1, "queue")
    equal(values["lipap_queue_unsigned_messages", ()], 1, "queue for nec")
    check(1 <= values["lipap_queue_oldest_seconds", ()] < 60, "age of the oldest")
    check(values["lipap_spool_used_bytes", ()] > 0, "spool")
    check(values["lipap_handover_failures_total", ()] > 0, "failures to hand over")


def dns_errors(world):
    """A primary that is away is counted by name, and is why nothing can be signed."""
    world.knot.stop()
    nec = world.start_nec(ready=False, more=["--metrics", NEC])
    until(20, "errors are counted",
          lambda: exposition.scrape(NEC)["nec_dns_errors_total", (*DOMAIN, ("error", "network"))] > 0)
    equal(exposition.get(NEC, "/healthz")[0], 503, "health")
    nec.stop()


def run(world):
    world.start_knot()
    sink = world.start_sink()
    with world.case("a reader that takes only what is right"):
        reader_is_strict()
    with world.case("nec: not able to serve, and why"):
        health_before_a_key(world)
    world.nec = world.start_nec(more=["--metrics", f"{NEC}:9925"])
    world.create([AUTHOR, "bea@sub1.test"])
    world.start_lipap(more=["--metrics", f"{LIPAP}:9925"])
    post()
    sink.wait(2, 20)
    until(10, "the queue is empty", lambda: exposition.scrape(LIPAP)["lipap_queue_messages", ()] == 0)
    with world.case("nec: pages"):
        pages_of_nec(world)
    with world.case("lipap: pages"):
        pages_of_lipap(world)
    with world.case("lipap: what waits"):
        queue_grows(world)
    with world.case("nec: DNS errors"):
        dns_errors(world)


rig.main(run, ["nec", "lipap", "ptt"])
