/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image's own parts, around its data frames: docs/image-format.md describes them byte by byte.
 *
 *   frame 0 | HEAD | frame 1 ... | CHECKPOINT | ... | TABLE | MANIFEST | SUM | seek table
 *
 * All but the data frames are zstd skippable frames (RFC 8878 section 3.1.2). The seek table is
 * that of the zstd seekable format 0.1.0 (contrib/seekable_format in zstd's sources). Everything is
 * little-endian but digests, which are canonical. Nothing here does I/O or allocates.
 */
#ifndef CODEC_IMAGE_H
#define CODEC_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/chunk.h"
#include "codec/digest.h"

#define IMAGE_VERSION		1
#define IMAGE_MAGIC		0x184d2a5bu /* of our skippable frames; 0x184d2a50 is pzstd's */
#define IMAGE_SEEK_MAGIC	0x184d2a5eu /* of the skippable frame around a seek table */
#define IMAGE_SEEK_FOOTER_MAGIC 0x8f92eab1u

#define IMAGE_FRAME_HEADER    8		  /* skippable frame header: magic, size */
#define IMAGE_TAG	      8		  /* our body's first bytes: "TBSI", kind, version, 0, 0 */
#define IMAGE_ENTRY	      32	  /* one chunk in a CHECKPOINT or the TABLE */
#define IMAGE_CHECKPOINT_GAP  (64u << 20) /* device bytes between two CHECKPOINTs */
#define IMAGE_SEEK_ENTRY      8
#define IMAGE_SEEK_FOOTER     9
#define IMAGE_IDENTITY_MOST   (64u << 10) /* bytes of JSON in HEAD */
#define IMAGE_MANIFEST_MOST   (16u << 20) /* bytes of JSON in MANIFEST */
#define IMAGE_CHECKPOINT_MOST 65536u	  /* entries in one CHECKPOINT */
#define IMAGE_FRAMES_MOST     (1u << 27)  /* in a seek table: the seekable format's own limit */
#define IMAGE_FRAMES_BESIDE   4u	  /* HEAD, TABLE, MANIFEST, SUM: every image has them */

enum image_kind {
	IMAGE_HEAD = 1,
	IMAGE_CHECKPOINT = 2,
	IMAGE_TABLE = 3,
	IMAGE_MANIFEST = 4,
	IMAGE_SUM = 5,
	IMAGE_PAD = 6,
	IMAGE_REDO = 7, /* in no whole image: codec/image_redo.h */
};

/* What is known of a chunk beside its digest. */
enum image_entry_flag {
	IMAGE_ENTRY_ZERO = 1,	     /* read as zeros */
	IMAGE_ENTRY_UNALLOCATED = 2, /* holds ranges left out, as zeros, because unallocated */
	IMAGE_ENTRY_UNREADABLE = 4,  /* holds ranges that could not be read, as zeros */
	IMAGE_ENTRY_SLOT = 8,	     /* followed by a PAD: a fixed slot, to be filled later */
};
#define IMAGE_ENTRY_FLAGS 0xfu

struct image_entry {
	struct digest digest; /* of the uncompressed chunk */
	uint64_t stored_hash; /* digest_stored() of the frame */
	uint32_t stored_size; /* of the frame, bytes */
	uint32_t flags;	      /* image_entry_flag */
};

/*
 * What HEAD says. identity points into the caller's bytes, and that it is JSON is not looked at.
 * logical_sector is 0 or a power of two from 512 on, physical_sector 0 or not below it.
 */
struct image_head {
	uint8_t transfer_id[16]; /* random, never all zeros */
	struct chunk_map map;
	uint32_t logical_sector; /* bytes, 0 for a file */
	uint32_t physical_sector;
	uint64_t created;     /* seconds since 1970, UTC */
	const char *identity; /* JSON object: the disk's identity; not NUL-terminated */
	uint32_t identity_len;
};

/* A skippable frame's header and, where it is ours, its tag. */
struct image_frame {
	uint32_t magic;
	uint32_t size;	      /* of what follows the 8 header bytes */
	enum image_kind kind; /* meaningful when magic is IMAGE_MAGIC */
};

/*
 * The SUM frame: where the trailer starts and what its bytes hash to. It is the last frame before
 * the seek table, and so found at file_size - image_seek_size() - IMAGE_SUM_FRAME.
 */
struct image_sum {
	uint64_t file_size;    /* of the whole image, bytes */
	uint64_t trailer_size; /* from TABLE's first byte to the image's last */
	uint64_t entries;      /* chunks, equal to TABLE's */
	struct digest digest;  /* XXH3-128 of the trailer, this field taken as zeros */
};
#define IMAGE_SUM_FRAME	 (IMAGE_FRAME_HEADER + IMAGE_TAG + 24 + DIGEST_SIZE)
#define IMAGE_SUM_DIGEST (IMAGE_FRAME_HEADER + IMAGE_TAG + 24) /* offset of digest in the frame */

/* Encoded sizes, skippable header included; each *_put below writes exactly that many bytes. */
size_t image_head_size(const struct image_head *head);
size_t image_checkpoint_size(uint32_t count);
/* What precedes the entries of TABLE, and the JSON of MANIFEST: skippable header, tag, (count). */
#define IMAGE_TABLE_HEADER    (IMAGE_FRAME_HEADER + IMAGE_TAG + 8)
#define IMAGE_MANIFEST_HEADER (IMAGE_FRAME_HEADER + IMAGE_TAG)
#define IMAGE_SEEK_HEADER     IMAGE_FRAME_HEADER

/* Writes HEAD to BUF of CAPACITY bytes. Returns its length, -EINVAL (bad fields) or -ENOBUFS. */
int image_head_put(const struct image_head *head, void *buf, size_t capacity);
/* Reads a whole HEAD frame, header included. Returns 0, -EBADMSG, or -EPROTONOSUPPORT (version). */
int image_head_get(const void *buf, size_t len, struct image_head *ret);

/*
 * Writes a CHECKPOINT for COUNT chunks (1..IMAGE_CHECKPOINT_MOST) from chunk FIRST on. Returns its
 * length, or as above.
 */
int image_checkpoint_put(uint64_t first, const struct image_entry *entries, uint32_t count,
			 void *buf, size_t capacity);
/*
 * Reads a whole CHECKPOINT frame: its checksum is right and its entries are well formed. The
 * entries are read out of BUF with image_entry_get at *ret_entries. Returns 0 or -EBADMSG.
 */
int image_checkpoint_get(const void *buf, size_t len, uint64_t *ret_first, uint32_t *ret_count,
			 const uint8_t **ret_entries);

/* Whether ENTRY has known flags only and a frame size that a chunk can have. */
bool image_entry_valid(const struct image_entry *entry);
void image_entry_put(const struct image_entry *entry, uint8_t buf[IMAGE_ENTRY]);
/* Returns 0, or -EBADMSG for an entry that is not valid. */
int image_entry_get(const uint8_t buf[IMAGE_ENTRY], struct image_entry *ret);

/*
 * The headers of TABLE, MANIFEST and the seek table, whose bodies are streamed by the caller. A put
 * trusts its argument (1..CHUNK_COUNT_MOST entries, 2..IMAGE_MANIFEST_MOST bytes, ..FRAMES_MOST
 * frames); a get returns 0 or -EBADMSG, also where the argument is out of these bounds.
 */
void image_table_header_put(uint64_t entries, uint8_t buf[IMAGE_TABLE_HEADER]);
int image_table_header_get(const uint8_t buf[IMAGE_TABLE_HEADER], uint64_t *ret_entries);
void image_manifest_header_put(uint32_t json_len, uint8_t buf[IMAGE_MANIFEST_HEADER]);
int image_manifest_header_get(const uint8_t buf[IMAGE_MANIFEST_HEADER], uint32_t *ret_json_len);

/* get returns 0, or -EBADMSG also for sizes that cannot belong to an image of so many entries. */
void image_sum_put(const struct image_sum *sum, uint8_t buf[IMAGE_SUM_FRAME]);
int image_sum_get(const uint8_t buf[IMAGE_SUM_FRAME], struct image_sum *ret);

/* Seek table: header (for FRAMES entries), one entry a frame (skippable ones count), footer. */
void image_seek_header_put(uint32_t frames, uint8_t buf[IMAGE_SEEK_HEADER]);
/* Returns 0, or -EBADMSG when no seek table begins there. */
int image_seek_header_get(const uint8_t buf[IMAGE_SEEK_HEADER], uint32_t *ret_frames);
void image_seek_entry_put(uint32_t stored, uint32_t content, uint8_t buf[IMAGE_SEEK_ENTRY]);
void image_seek_entry_get(const uint8_t buf[IMAGE_SEEK_ENTRY], uint32_t *ret_stored,
			  uint32_t *ret_content);
void image_seek_footer_put(uint32_t frames, uint8_t buf[IMAGE_SEEK_FOOTER]);
/* Reads an image's last nine bytes. Returns 0, or -EBADMSG when no seek table ends there. */
int image_seek_footer_get(const uint8_t buf[IMAGE_SEEK_FOOTER], uint32_t *ret_frames);
/* Bytes of a whole seek table of FRAMES entries, skippable header and footer included. */
uint64_t image_seek_size(uint32_t frames);

/*
 * PAD: LEN bytes in all, of which only the header is written; zeros follow. Returns 0, or -EINVAL
 * when LEN is below IMAGE_FRAME_HEADER + IMAGE_TAG or too long for a frame.
 */
int image_pad_header_put(size_t len, uint8_t buf[IMAGE_FRAME_HEADER + IMAGE_TAG]);

/*
 * Reads the header of the frame at BUF (LEN bytes are there, at least IMAGE_FRAME_HEADER +
 * IMAGE_TAG): a skippable frame of ours or another's. Returns 0; -ENOMSG when it is a zstd data
 * frame; -EPROTONOSUPPORT when it is ours, of another version; -EBADMSG when it is neither or the
 * tag is wrong.
 */
int image_frame_get(const void *buf, size_t len, struct image_frame *ret);

#endif
