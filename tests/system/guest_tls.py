#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""lipap as a unikernel has no files but those of its image: certificate, key and roots lie there."""
import os
import ssl

os.environ["PTT_RIG_NET"] = "10.77.0"

from lib import rig  # noqa: E402
from lib.mail import AUTHOR  # noqa: E402
from lib.machines import Guests  # noqa: E402
from lib.rig import DNS, LIPAP, NEC, POSTER, check, equal  # noqa: E402
from lib.smtp import Smtp  # noqa: E402
from lib.tls import Authority  # noqa: E402


def start(world, ready=True):
    lipap = world.start("lipap", world.guest("lipap", LIPAP, [
        "--domain", "mailingl.st", "--hostname", "mx.mailingl.st", "--signer", NEC, "--signer-network", f"{NEC}/32",
        "--nameserver", f"udp:{DNS}", "--password", world.list_password], world.image))
    if ready:
        lipap.wait_log(r"event=ready\b", world.machine.patience)
        lipap.wait_listens(LIPAP)
    return lipap


def version(authority):
    """Of a session with a server that proves itself by our root."""
    context = ssl.create_default_context(cafile=authority.path)
    with Smtp(LIPAP, source=POSTER) as s:
        s.command("EHLO author.test")
        equal(s.command("STARTTLS")[:3], "220", "answer")
        with context.wrap_socket(s.socket, server_hostname="mx.mailingl.st") as tls:
            return tls.version()


def on_machine(world, authority):
    name = world.machine.name
    world.image = image = os.path.join(world.folder, f"{name}.img")
    certificate, key = authority.make_pair(name, "mx.mailingl.st")
    world.create([AUTHOR])
    world.run("ptt", "put", image, "tls/key.pem", "--from", key)
    with world.case(f"{name}: a key without its certificate is a reason not to start"):
        lipap = start(world, ready=False)
        check(lipap.popen.wait(world.machine.patience) != 0, "it ended well")
        check("event=certificate-refused" in lipap.log(), lipap.log())
    with world.case(f"{name}: certificate and roots of the image are used"):
        world.run("ptt", "put", image, "tls/cert.pem", "--from", certificate)
        world.run("ptt", "put", image, "tls/roots.pem", "--from", "/etc/ssl/certs/ca-certificates.crt")
        lipap = start(world)
        equal(version(authority), "TLSv1.3", "version")
        check("event=sts-off" not in lipap.log(), lipap.log())
        lipap.stop()


def run(world):
    authority = Authority(world)
    for number, _ in enumerate(world.machines("lipap", ("virtio", "virtio-q35"))):
        if number == 0:
            world.start_knot()
        on_machine(world, authority)


if __name__ == "__main__":
    rig.main(run, ["ptt"], Guests)
