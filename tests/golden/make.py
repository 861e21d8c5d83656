#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How the golden files came to be: make.py [FOLDER].

Written from docs/image-format.md and docs/wire-protocol.md with nothing of the tools: the frames are
compressed by zstd(1), the hashes are those that xxhsum(1) prints, and all else is done here. It is
kept for the record and run by no test, for another zstd may compress otherwise: the committed files
are what counts.
"""

import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

CHUNK = 4096
TRANSFER = bytes(range(0xA0, 0xB0))
CREATED = 1767225600
FINISHED = 1767225612
OPEN = 2**64 - 1  # HEAD's size where it is not known yet
ZERO, UNALLOCATED, UNREADABLE, SLOT = 1, 2, 4, 8
HEAD, CHECKPOINT, TABLE, MANIFEST, SUM, PAD = range(1, 7)
SENDER, RECEIVER = 1, 2


def xxhsum(kind, data):
    """The canonical hash of DATA as xxhsum prints it: kind 1 XXH64, 2 XXH3-128, 3 XXH3-64."""
    out = subprocess.run(["xxhsum", f"-H{kind}"], input=data, stdout=subprocess.PIPE, check=True)
    words = out.stdout.decode().split()
    return bytes.fromhex(words[-1] if kind == 3 else words[0])


def number(kind, data):
    return int.from_bytes(xxhsum(kind, data), "big")


def zstd(data):
    """DATA as one frame; from a file, so that its length is in the frame's header."""
    with tempfile.NamedTemporaryFile() as raw:
        raw.write(data)
        raw.flush()
        return subprocess.run(
            ["zstd", "-1", "--single-thread", "--check", "-q", "-c", raw.name],
            stdout=subprocess.PIPE, check=True).stdout


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def noise(label, length):
    """LENGTH bytes that do not compress, the same every time."""
    blocks = (hashlib.sha256(f"{label} {i}".encode()).digest() for i in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def device():
    lines = b"".join(b"line %4d of a file that compresses well\n" % i for i in range(200))
    broken = noise("broken", CHUNK - 512) + bytes(512)
    return b"".join([
        lines[:CHUNK],
        bytes(CHUNK),
        noise("noise", CHUNK),
        noise("half", CHUNK // 2) + bytes(CHUNK // 2),
        broken,
        bytes(CHUNK),
        noise("last", 500) + b"the end\n",
    ])


# ---- the image ----------------------------------------------------------------------------------

def skippable(magic, body):
    return struct.pack("<II", magic, len(body)) + body


def ours(kind, body):
    return skippable(0x184D2A5B, b"TBSI" + struct.pack("<BBH", kind, 1, 0) + body)


def hashed(kind, body):
    """HEAD and CHECKPOINT end with the XXH3-64 of their body before it, tag included."""
    tagged = b"TBSI" + struct.pack("<BBH", kind, 1, 0) + body
    return ours(kind, body + struct.pack("<Q", number(3, tagged)))


def entry(chunk, frame, flags):
    return xxhsum(2, chunk) + struct.pack("<QII", number(3, frame), len(frame), flags)


def head(identity, size, logical=512, physical=4096):
    text = compact(identity)
    return hashed(HEAD, TRANSFER + struct.pack("<QQIIII", size, CREATED, CHUNK, logical, physical,
                                               len(text)) + text)


def checkpoint(first, entries):
    return hashed(CHECKPOINT, struct.pack("<QII", first, len(entries), 0) + b"".join(entries))


IDENTITY = {
    "path": "/dev/nvme0n1", "kind": "disk", "model": "Golden Disk", "serial": "GD-0001",
    "wwn": "eui.0025388b710116a2", "transport": "nvme",
}


def offered():
    return {
        "source": dict(IDENTITY, size=6 * CHUNK + 508, logical_sector=512, physical_sector=4096),
        "host": {"name": "laptop", "machine": "Example Über 9000", "serial": "L-42",
                 "kernel": "7.3.4"},
        "tool": "tbstream 0.1",
        "table": {"type": "gpt", "uuid": "6a1f3b52-2a0b-4d8e-9f5c-0c3c6c1a7e01", "partitions": [
            {"number": 1, "start": 8192, "size": 8192,
             "type": "0fc63daf-8483-4772-8e79-3d69d8477de4",
             "uuid": "6a1f3b52-2a0b-4d8e-9f5c-0c3c6c1a7e02", "name": "root",
             "fs": {"type": "ext4", "label": "root", "version": "1.0",
                    "uuid": "6a1f3b52-2a0b-4d8e-9f5c-0c3c6c1a7e03"}}]},
        "unallocated": [[5 * CHUNK, CHUNK]],
        "unreadable": [[5 * CHUNK - 512, 512]],
        "resumes": [CREATED + 5],
    }


class Image:
    """The bytes of an image, and its frames as the seek table lists them."""

    def __init__(self):
        self.data = b""
        self.frames = []

    def add(self, frame, content=0):
        self.data += frame
        self.frames.append((len(frame), content))


def stream():
    """What standard input is offered as; nothing is known of it, not even how long it is."""
    return {
        "source": {"path": "-", "kind": "stream"},
        "host": {"name": "laptop", "kernel": "7.3.4"},
        "tool": "tbstream 0.1",
    }


def image(raw, first, manifest, flags):
    """The image of RAW with the HEAD FIRST, its chunks' FLAGS and what MANIFEST offered."""
    chunks = [raw[at:at + CHUNK] for at in range(0, len(raw), CHUNK)]
    frames = [zstd(chunk) for chunk in chunks]
    entries = [entry(*each) for each in zip(chunks, frames, flags)]
    root = xxhsum(2, b"".join(e[:16] for e in entries) + struct.pack("<QI", len(raw), CHUNK))
    out = Image()
    for i, frame in enumerate(frames):
        out.add(frame, len(chunks[i]))
        if i == 0:
            out.add(first)
        if flags[i] & SLOT:
            slot = CHUNK + 16 + ((128 * 1024 - CHUNK) >> 11)  # ZSTD_compressBound
            out.add(ours(PAD, bytes(slot - len(frame) - 16)))
        if i == 4:
            out.add(checkpoint(0, entries[:5]))
    start = len(out.data)
    out.add(ours(TABLE, struct.pack("<Q", len(entries)) + b"".join(entries)))
    manifest = dict(manifest)
    manifest.update({
        "format": 1, "transfer": TRANSFER.hex(), "size": len(raw), "chunk_size": CHUNK,
        "chunks": len(chunks), "frames": len(out.frames) + 2, "root": root.hex(),
        "created": CREATED, "finished": FINISHED,
    })
    out.add(ours(MANIFEST, compact(manifest)))
    sum_at = len(out.data) + 40
    out.add(bytes(56))
    seek = b"".join(struct.pack("<II", *frame) for frame in out.frames)
    seek += struct.pack("<IBI", len(out.frames), 0, 0x8F92EAB1)
    data = out.data + skippable(0x184D2A5E, seek)
    fields = struct.pack("<QQQ", len(data), len(data) - start, len(entries))
    blank = ours(SUM, fields + bytes(16))
    data = data[:sum_at - 40] + blank + data[sum_at + 16:]
    data = data[:sum_at] + xxhsum(2, data[start:]) + data[sum_at + 16:]
    return data, frames, entries, root


# ---- the records --------------------------------------------------------------------------------

def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def record(kind, sequence, payload):
    header = b"TBS1" + struct.pack("<BBH4xIQQ12x", 1, kind, 0, len(payload), sequence,
                                   number(1, payload))
    return header + struct.pack("<I", crc32c(header)) + payload


def hello(role, transfer, host):
    return struct.pack("<BBBxI16s8s64s32s128x", role, 1, 1, 0, transfer, b"backup", host,
                       b"tbstream 0.1")


def records(raw, frames, entries, root):
    first = head(IDENTITY, len(raw))
    have = b"".join(e[:16] for e in entries[:5])
    return {
        "hello": record(1, 0, hello(SENDER, bytes(16), "Küche".encode())),
        "offer": record(2, 1, first + compact(offered())),
        "accept": record(3, 1, struct.pack("<IIQQ", 0, 5, 5, 0) + have),
        "accept-more": record(3, 1, struct.pack("<IIQQ", 2, 2, 5, 0) + have[:32]),
        "refusal": record(3, 1, struct.pack("<IIQQ", 1, 0, 0, 0)
                          + b"the target holds 4096 bytes, the source 25084: choose a larger one"),
        "data": record(4, 2, struct.pack("<Q", 0) + entries[0] + frames[0]),
        "zero": record(5, 3, struct.pack("<QQII", 1, 1, ZERO, 0)),
        "ack": record(6, 2, struct.pack("<Q", 2)),
        "end": record(9, 11, struct.pack("<QQ", len(entries), len(raw)) + root),
        "result": record(10, 8, struct.pack("<QQ", 2, 16384) + root
                         + "512 bytes could not be read – see the manifest".encode()),
        "bye": record(11, 12, b""),
        "abort": record(12, 4, b"interrupted"),
        "keepalive": record(13, 1, struct.pack("<Q", 0)),
        "unreadable": record(14, 11, struct.pack("<IIQQ", 1, 0, 19968, 512)),
        "shell": record(15, 1, struct.pack("<IHH", 1, 40, 101) + b"xterm-256color"),
        "window": record(16, 2, struct.pack("<HH", 50, 120)),
        "bytes": record(17, 3, b"uname -a\r\x03\xff"),
        "taken": record(18, 4, struct.pack("<Q", 16384)),
        "exit": record(19, 5, struct.pack("<I", 130)),
        "time": record(0x80 | 20, 9, struct.pack("<QQQ", 7100000000, 2200000000, 700000000)),
    }


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    raw = device()
    flags = [0, ZERO, 0, 0, UNREADABLE | SLOT, ZERO | UNALLOCATED, 0]
    data, frames, entries, root = image(raw, head(IDENTITY, len(raw)), offered(), flags)
    first = head(stream()["source"], OPEN, 0, 0)
    unknown = image(raw, first, stream(), [flag & ZERO for flag in flags])[0]
    (folder / "records").mkdir(exist_ok=True)
    (folder / "device.raw").write_bytes(raw)
    (folder / "image.zst").write_bytes(data)
    (folder / "stream.zst").write_bytes(unknown)
    for name, each in records(raw, frames, entries, root).items():
        (folder / "records" / f"{name}.bin").write_bytes(each)


main()
