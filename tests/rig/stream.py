# SPDX-License-Identifier: GPL-2.0-or-later
"""The bare stream device in a guest, used as a person at its shell would."""

CONFIG = "/sys/kernel/config/thunderbolt/stream"


class Stream:
    """One stream of one guest: its folder in configfs and its device."""

    def __init__(self, agent, service, name):
        self.agent = agent
        self.service = service
        self.name = name
        self.config = f"{CONFIG}/{service}/{name}"
        self.device = "/dev/tbstream" + agent.run(f"cat {self.config}/index")

    def hopids(self):
        """In and out HopID."""
        return tuple(map(int, self.agent.run(
            f"cat {self.config}/in_hopid {self.config}/out_hopid").split()))

    def wait_open(self, seconds=20):
        """Wait until a process of the guest holds the device open. The kernel announces that
        nowhere, so the guest looks."""
        self.agent.run(f"until ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q ' {self.device}$'; "
                       "do usleep 20000; done", seconds)

    def remove(self):
        """As the kernel's documentation has it; the empty parent goes too."""
        self.agent.run(f"cd {CONFIG} && rmdir -p {self.service}/{self.name}")


def service_wait(agent, seconds=40):
    """Wait until the peer offers streams; its service's name, such as 0-1.1."""
    path = agent.wait_until("grep -lx stream /sys/bus/thunderbolt/devices/*/key", seconds)
    return path.split("/")[-2]


def create(agent, name, in_hopid=-1, out_hopid=-1):
    """Make a stream with these HopIDs, or automatic ones, and so announce it to the peer."""
    service = service_wait(agent)
    config = f"{CONFIG}/{service}/{name}"
    agent.run(f"mkdir -p {config} && echo {in_hopid} > {config}/in_hopid && "
              f"echo {out_hopid} > {config}/out_hopid")
    return Stream(agent, service, name)


def follow(agent, name, seconds=20):
    """Make a stream that the peer announces: a bare mkdir, and the HopIDs are the peer's. The
    kernel fills them in once, so where the announcement has not come yet, try again when the
    peer's properties have: our own mkdir is an event too, and must not keep the kernel busy."""
    service = service_wait(agent)
    config = f"{CONFIG}/{service}/{name}"
    agent.wait_until(f"mkdir -p {config} && [ $(cat {config}/in_hopid) -ge 8 ] || "
                     f"{{ rmdir {config}; false; }}", seconds, event="change@/devices/pci")
    return Stream(agent, service, name)
