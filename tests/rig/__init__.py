# SPDX-License-Identifier: GPL-2.0-or-later
"""The rig: real kernels in real machines, joined by an emulated USB4 cable.

recipe   what is in a sysroot, as data
cache    things that are built once and kept outside the checkout
sysroot  a folder with a distribution in it: programs, kernel and modules
enter    a command inside a sysroot, which stays as it is
module   our kernel module, built for the kernels of several sysroots
kernel   which kernel a guest boots, and which driver it has for streams
archive  an initramfs, written file by file
keeper   the guest root that our tests boot
look     what such a root needs to look into images
machine  a machine as data, and the QEMU process that runs it
accel    KVM where it truly works, else TCG
line     a serial line: its log, and waiting for what it says
disks    disks with tables and file systems, made on this machine
agent    commands inside a guest, over its second serial line; agent/ is the program there
qmp      QEMU's control socket
cable    the fabric process and its control socket
stream   the bare stream device in a guest
process  child processes that never outlive the rig
check    a test: its TAP lines, its time limit and its failure report
shell    two joined machines under a person's hands
"""
