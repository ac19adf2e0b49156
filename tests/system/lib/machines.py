# SPDX-License-Identifier: ISC
"""The machines that a guest can run on, and how. A world of rig.py with PTT_RIG_NET set has the network for them."""
import os
import shutil

from lib.rig import Skip, World, ip


class Solo5:
    """One of Solo5's tenders; what it takes is told by its own --help."""

    patience = 30  # seconds until a program has started

    def __init__(self, name, tool):
        self.name, self.tool = name, tool

    def argv(self, image, tap, memory, disk, words, _):
        block = [f"--block:lipap={disk}", "--block-sector-size:lipap=4096"] if disk else []
        return [self.tool, f"--mem={memory}", f"--net:service={tap}", *block, image, *words]


class Qemu:
    """QEMU without KVM: slow to stretch a password. Each guest has a network card of its own number."""

    tool, patience = "qemu-system-x86_64", 240

    def __init__(self, name, board, suffix):
        self.name, self.board, self.suffix = name, board, suffix

    def argv(self, image, tap, memory, disk, words, folder):
        """Half of the words go by -append, the others by -initrd."""
        rest = os.path.join(folder, f"{tap}.words")
        with open(rest, "w", encoding="utf-8") as f:
            f.write(" ".join(words[len(words) // 2:]) + "\n")
        mac = "52:54:00:77:00:%02x" % (sum(tap.encode()) % 256)
        block = ["-drive", f"file={disk},if=none,id=disk,format=raw,cache=writeback", "-device",
                 f"virtio-blk-{self.suffix},drive=disk"] if disk else []
        return [self.tool, "-accel", "tcg", "-cpu", "max", *self.board, "-m", str(memory), "-nodefaults",
                "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio", "-device",
                "isa-debug-exit,iobase=0xf4,iosize=4", "-netdev", f"tap,id=net,ifname={tap},script=no,downscript=no",
                "-device", f"virtio-net-{self.suffix},netdev=net,mac={mac}", *block, "-kernel", image, "-append",
                " ".join(words[:len(words) // 2]), "-initrd", rest]


MACHINES = [Solo5("spt", "solo5-spt"), Solo5("hvt", "solo5-hvt"),
            Qemu("virtio", ["-M", "microvm", "-global", "virtio-mmio.force-legacy=false"], "device"),
            Qemu("virtio-q35", ["-M", "q35"], "pci")]
LONG_ONLY = "virtio-q35"  # of the tests that take minutes there


class Guests(World):
    """A world whose programs run as guests of one kind of machine after the other."""

    machine = None

    def __init__(self, build, folder):
        super().__init__(build, folder)
        self.taps = set()

    def image_of(self, program):
        return os.path.join(self.build, "host", "guest", f"{program}.{self.machine.name.split('-')[0]}")

    def guest(self, program, address, words, disk=None, memory=128):
        """The command that runs a program as a guest of that address on the bridge."""
        tap = f"tap-{program}"
        if tap not in self.taps:
            self.taps.add(tap)
            ip(f"tuntap add {tap} mode tap", f"link set {tap} master ptt up")
        return self.machine.argv(self.image_of(program), tap, memory, disk, ["--ipv4", f"{address}/24", *words],
                                 self.folder)

    def machines(self, program, leave=()):
        """Each machine on which the program can be tried here; the others are skipped by name, but for `leave`."""
        ran = False
        if not os.path.exists("/dev/net/tun"):
            raise Skip("no /dev/net/tun")
        for self.machine in MACHINES:
            name, tool = self.machine.name, self.machine.tool
            if name in leave:
                continue
            if not os.path.exists(self.image_of(program)):
                print(f"skip {program}.{name}: not built (ninja guests)", flush=True)
            elif shutil.which(tool) is None:
                print(f"skip {program}.{name}: no {tool}", flush=True)
            else:
                ran = True
                yield self.machine
        if not ran:
            raise Skip("no guest can be tried here")
