#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A borrowed camera: JPEG frames over the bare device into a player's decoder.

The camera is GStreamer's test picture, the screen a disk that keeps every pixel. The same frames,
encoded and decoded on this machine without a cable, are what must be on it.
"""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, enter, machine, stream  # noqa: E402

FRAMES, WIDTH, HEIGHT = 40, 320, 240
SIZE = FRAMES * WIDTH * HEIGHT * 3

LIBRARY = "usr/lib/x86_64-linux-gnu"
PLUGINS = ("coreelements", "jpeg", "multipart", "videoconvertscale", "videotestsrc")

CAMERA = (f"videotestsrc pattern=ball num-buffers={FRAMES} ! "
          f"video/x-raw,format=I420,width={WIDTH},height={HEIGHT} ! jpegenc quality=90")
SCREEN = "jpegdec ! videoconvert ! video/x-raw,format=RGB"


def gstreamer_add(root, place):
    for program in ("bin/gst-launch-1.0",
                    "lib/x86_64-linux-gnu/gstreamer1.0/gstreamer-1.0/gst-plugin-scanner"):
        root.program(place, f"usr/{program}")
    for plugin in PLUGINS:
        root.program(place, f"{LIBRARY}/gstreamer-1.0/libgst{plugin}.so")


def frames_expect(place):
    """The bytes that the screen must show."""
    pipeline = f"{CAMERA} ! {SCREEN} ! fdsink".split()
    pixels = enter.enter(place, ["gst-launch-1.0", "-q", *pipeline], capture_output=True,
                         check=True)
    check.equal(len(pixels.stdout), SIZE, "size of the frames decoded here")
    frames = {pixels.stdout[start:start + SIZE // FRAMES]
              for start in range(0, SIZE, SIZE // FRAMES)}
    check.true(len(frames) > FRAMES // 2, "the test picture does not move")
    return pixels.stdout


def stream_play(left, right, sender, receiver):
    """Run both pipelines; the receiver's writes /dev/vda."""
    # The plugin scan is done once, and the devices are opened in the right order after it.
    player = right.agent.spawn(f"gst-launch-1.0 -q filesrc location=/dev/tbstream0 ! {receiver} ! "
                               "filesink location=/dev/vda")
    right.stream.wait_open(60)
    left.agent.run(f"gst-launch-1.0 -q {sender} ! filesink location=/dev/tbstream0", 60)
    player.check(60)


def run(test):
    gstreamer = test.place("gstreamer")
    wanted = frames_expect(gstreamer)
    screen = test.disk("screen.img", SIZE)
    guest = {"add": lambda root: gstreamer_add(root, gstreamer)}
    left, right = test.pair({"guest": guest}, {"guest": guest, "disks": [machine.Disk(screen)]})
    right.stream = stream.create(right.agent, "camera")
    left.stream = stream.follow(left.agent, "camera")

    for name, mux, demux in (("as they are", "", ""),
                             ("in a multipart stream", " ! multipartmux", "multipartdemux ! ")):
        with test.behaviour(f"JPEG frames {name} reach the decoder, every pixel of every frame"):
            with open(screen, "r+b") as file:
                file.write(bytes(SIZE))
            stream_play(left, right, CAMERA + mux, demux + SCREEN)
            check.true(screen.read_bytes() == wanted, "the frames on the screen differ")


check.main(run, seconds=150)
