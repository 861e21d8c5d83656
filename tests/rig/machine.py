# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine as data, and the QEMU process that runs it.

    pc = machine.Machine("pc", place, folder, kernel=..., initrd=[...], disks=[Disk(...)])
    pc.start(); pc.console.expect("login:", 60); pc.agent.run("dmesg"); pc.kill()
"""

import dataclasses
import json
import os
import pathlib

from . import accel, agent, line, process, qmp


@dataclasses.dataclass
class Disk:
    """A raw image on a bus: virtio, nvme, ahci, scsi (virtio's), usb or sd, a memory card, which has
    a serial number of its own and the size of a power of two. `bad`: sectors of 512 bytes whose
    read fails; `options`: more properties for QEMU's device."""
    path: object
    bus: str = "virtio"
    serial: str = ""
    readonly: bool = False
    bad: tuple = ()
    options: dict = dataclasses.field(default_factory=dict)

    DRIVERS = {"virtio": "virtio-blk-pci", "nvme": "nvme", "ahci": "ide-hd", "usb": "usb-storage",
               "scsi": "scsi-hd", "sd": "sd-card"}
    # What they are plugged into, where the machine has none of it by itself.
    HOSTS = {"usb": "qemu-xhci,id=xhci", "scsi": "virtio-scsi-pci,id=scsi", "sd": "sdhci-pci"}

    def blockdev(self, node):
        """QEMU's description of the image, for -blockdev and blockdev-add."""
        # The proof is read by us while the host lives: its cache is safe enough, and quicker.
        file = {"driver": "file", "filename": str(self.path), "read-only": self.readonly,
                "cache": {"direct": False, "no-flush": True}, "discard": "unmap"}
        if self.bad:
            errors = [{"event": "none", "iotype": "read", "errno": 5, "sector": sector,
                       "immediately": False, "once": False} for sector in self.bad]
            file = {"driver": "blkdebug", "image": file, "inject-error": errors,
                    "read-only": self.readonly}
        return {"driver": "raw", "node-name": node, "file": file, "read-only": self.readonly,
                "discard": "unmap"}

    def device(self, node, number):
        """QEMU's description of the drive, for -device and device_add."""
        device = {"driver": self.DRIVERS[self.bus], "id": f"{node}-drive", "drive": node,
                  "serial": self.serial or f"rig-{number}"}
        if self.bus == "sd":
            del device["serial"]
        if self.bus == "scsi":
            device["bus"] = "scsi.0"
        if self.bus == "ahci":
            device["bus"] = f"ide.{number}"
        if self.bus == "usb":
            device["bus"] = "xhci.0"
        if self.bus == "virtio" and self.bad:
            device["rerror"] = "report"
        return device | self.options


@dataclasses.dataclass
class Machine:
    """A machine. `place`: the sysroot with QEMU and, unless `kernel` is another path or None to
    boot from a disk, the kernel. `initrd`: archives, joined. `fabric`: path of the cable's socket,
    one a port. `folder`: for its files. `firmware`: UEFI, (code, variables) that wants SMM, instead
    of the BIOS. `extra`: more of QEMU's own arguments."""
    name: str
    place: object
    folder: pathlib.Path
    kernel: object = "sysroot"
    initrd: tuple = ()
    append: str = ""
    disks: list = dataclasses.field(default_factory=list)
    memory: int = 384
    cpus: int = 1
    fabric: tuple = ()
    display: bool = False
    reboots: bool = False
    firmware: tuple = ()
    extra: tuple = ()

    def __post_init__(self):
        self.folder = pathlib.Path(self.folder)
        if self.kernel == "sysroot":
            self.kernel = self.place.kernel()
        if isinstance(self.fabric, (str, pathlib.Path)):
            self.fabric = (self.fabric,)
        self.process = None
        self.console = self.agent = self.qmp = None
        self._starts = 0

    def start(self):
        """Power on. Also after kill() or an end of its own: a new life with new lines."""
        self.kill()
        self._starts += 1
        self.console = line.Line(f"{self.name}: console")
        serial = line.Line(f"{self.name}: agent")
        self.agent = agent.Agent(self.name, serial)
        self.qmp = qmp.Qmp()
        ends = {"console": self.console.theirs, "agent": serial.theirs, "qmp": self.qmp.theirs}
        self.process = process.Child(
            f"QEMU of {self.name}", self._argv({name: end.fileno() for name, end in ends.items()}),
            self._log("qemu"), pass_fds=[end.fileno() for end in ends.values()],
            env={"QEMU_MODULE_DIR": str(self.place.file("usr/lib/x86_64-linux-gnu/qemu"))})
        self.console.start()
        serial.start()
        try:
            self.qmp.start()
        except OSError:
            self.process.wait(5)
            raise RuntimeError(f"{self.process.name} did not start: "
                               + self._log("qemu").read_text(errors="replace")) from None
        return self

    def _log(self, what):
        suffix = f".{self._starts}" if self._starts > 1 else ""
        return self.folder / f"{self.name}.{what}{suffix}.log"

    def logs(self):
        """The files that tell what happened, of every start."""
        return sorted(self.folder.glob(f"{self.name}.*.log"))

    def _initrd(self):
        if len(self.initrd) == 1:
            return self.initrd[0]
        joined = self.folder / f"{self.name}.initrd"
        with open(joined, "wb") as output:
            for part in self.initrd:
                data = pathlib.Path(part).read_bytes()
                output.write(data + b"\0" * (-len(data) % 4))
        return joined

    def _argv(self, fds):
        share = self.place.path / "usr/share"
        argv = self.place.argv("qemu-system-x86_64")
        for folder in (share / "qemu", share / "seabios", self.place.path / "usr/lib/ipxe/qemu"):
            argv += ["-L", folder]
        argv += ["-name", self.name, "-nodefaults", "-no-user-config", "-display", "none",
                 "-accel", accel.choose(self.place), "-smp", self.cpus, "-m", f"{self.memory}M",
                 "-M", "q35,memory-backend=mem0", "-object",
                 f"memory-backend-memfd,id=mem0,size={self.memory}M,share=on"]
        for name in ("console", "agent"):
            argv += ["-chardev", f"socket,id={name},fd={fds[name]},logfile={self._log(name)}",
                     "-serial", f"chardev:{name}"]
        argv += ["-chardev", f"socket,id=qmp,fd={fds['qmp']}", "-qmp", "chardev:qmp"]
        argv += ["-vga", "std"] if self.display else ["-vga", "none"]
        argv += [] if self.reboots else ["-no-reboot"]
        if self.firmware:
            # Only the firmware itself writes its variables, else they prove nothing.
            argv += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
        for path, mode in zip(self.firmware, ("on", "off")):
            argv += ["-drive", f"if=pflash,format=raw,readonly={mode},file={path}"]
        if self.kernel:
            argv += ["-kernel", self.kernel]
            argv += ["-initrd", self._initrd()] if self.initrd else []
            # A panic ends the machine, and with it every wait for it.
            argv += ["-append", f"console=ttyS0 panic=-1 oops=panic {self.append}"]
        for socket in self.fabric:
            argv += ["-device", json.dumps({"driver": "vfio-user-pci", "socket":
                                            {"type": "unix", "path": str(socket)}})]
        return argv + self._disks_argv() + list(self.extra)

    def _disks_argv(self):
        argv = []
        for bus, host in Disk.HOSTS.items():
            if any(disk.bus == bus for disk in self.disks):
                argv += ["-device", host]
        for number, disk in enumerate(self.disks):
            node = f"disk{number}"
            argv += ["-blockdev", json.dumps(disk.blockdev(node)),
                     "-device", json.dumps(disk.device(node, number))]
        return argv

    def plug_disk(self, disk):
        """Attach a disk while it runs (usb, for which the machine needs one from the start, or
        any bus that takes it)."""
        number = len(self.disks)
        self.disks.append(disk)
        self.qmp.execute("blockdev-add", **disk.blockdev(f"disk{number}"))
        self.qmp.execute("device_add", **disk.device(f"disk{number}", number))

    def reset(self):
        """The reset button. Needs reboots=True, else QEMU ends."""
        self.agent.forget()
        self.qmp.execute("system_reset")

    def powerdown(self):
        """The power button."""
        self.qmp.execute("system_powerdown")

    def screendump(self, path):
        """The screen as a PNG file. Needs display=True."""
        self.qmp.execute("screendump", filename=os.fspath(path), format="png")

    def press(self, *keys):
        """Press keys of its own keyboard, one after the other, by QEMU's names: "a", "1", "ret"."""
        for key in keys:
            self.qmp.execute("send-key", keys=[{"type": "qcode", "data": key}])

    def wait_end(self, seconds):
        """Wait until the machine has powered itself off (or wants to reboot, where reboots is
        False)."""
        if self.process.wait(seconds) is None:
            raise TimeoutError(f"{self.name} did not power off within {seconds} s")

    def running(self):
        return self.process is not None and self.process.running()

    def kill(self):
        """Pull the plug."""
        if self.process is None:
            return
        self.process.kill()
        self.process = None
        for end in (self.console, self.agent.line, self.qmp):
            end.close()
