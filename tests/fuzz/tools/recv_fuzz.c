// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A whole transfer to a receiver whose sender is INPUT: a byte that chooses where the transfer goes
 * to, one of options (enum recv_bit), and the script (peer_fuzz.h). Steps of its own:
 *   7 OFFER       u16 size, u8 chunk size, u8 which disk, u8 set, u16 length of a manifest, its
 *                 text; see recv_offer
 *   8 DATA        u16 chunk, u8 flags, u16 length (0: right), u8 what it is filled with
 *   9 ZERO        u16 chunk, u16 how many, u8 flags
 *   10 UNREADABLE u8 ranges, u16 first, u16 length, u16 from one to the next, in sectors
 *   11 END        u8: 0 as it should be, else other chunks (1), size (2), root (3)
 * Whatever comes, success means that what is there has the root that an END had; nothing else is
 * there under its name; and the sender is told of no other.
 */
#include "peer_run.h"

#include "codec/pack.h"
#include "io/out.h"
#include "io/verify.h"
#include "recv/recv.h"
#include "sink/folder.h"

#define RECV_CHUNKS   64u /* of the device, that the script's END knows */
#define RECV_DISK     (1u << 20)
#define RECV_ZEROS    4096u /* chunks: more would only take time */
#define RECV_RANGES   64u
#define RECV_PROGRAMS 3u
#define RECV_THREADS  3u

enum recv_kind { RECV_FILE, RECV_RAW, RECV_IMAGE, RECV_TARGET, RECV_FOLDER, RECV_KINDS };
enum recv_bit {
	RECV_MEND = 1,
	RECV_AGAIN = 2,
	RECV_READ_BACK = 4,
	RECV_RECHECK = 8,
	RECV_SEVERAL = 16
};

/* The peer's own view of what it sends. */
static struct {
	struct chunk_map map;
	uint8_t disk;
	struct digest digests[RECV_CHUNKS];
	uint64_t chunks, size;
	struct pack *pack;
	uint8_t content[CHUNK_SIZE_MOST], frame[PACK_FRAME_MOST + WIRE_DATA];
} told;

/* The side under test. */
struct recv_run {
	struct peer peer;
	struct options options;
	uint8_t kind, bits;
	struct mend mend;
	struct recv_past past;
	struct recv_options recv;
	struct folder *folder;
	int fd; /* of what is written without a name */
	struct peer_roots complete;
	unsigned int disks;
	char why[768];
};

/*
 * Chunks of 4 KiB to 4 MiB; with bit 6 the size is in units of 2 KiB, else of 64 bytes; with bit 7
 * the map is open. SET is of disk 1 to 15 of as many; 0 is a disk alone. The manifest is the
 * script's where it has one.
 */
static void recv_offer(struct peer *peer)
{
	uint64_t size = (uint64_t)peer_u16(peer) * 64;
	uint8_t bits = peer_u8(peer), disk = peer_u8(peer), set = peer_u8(peer);
	size_t len = peer_u16(peer);
	const uint8_t *text = peer_bytes(peer, &len);
	char identity[64], manifest[160] = "{}";

	/* An image that is gone on with has 64 MiB at least. */
	size <<= bits & 0x40 ? 5 : 0;
	struct wire_offer offer = {
		.head = {.transfer_id = {disk, 1},
			 .map = {.size = bits & 0x80 ? CHUNK_OPEN : size,
				 .chunk_size = CHUNK_SIZE_LEAST << (bits & 0x3f) % 11},
			 .created = 1,
			 .identity = identity}};
	static uint8_t payload[66000];

	if (set)
		snprintf(manifest, sizeof(manifest),
			 "{\"set\":{\"id\":\"%02x01%028x\",\"index\":%d,\"count\":%d}}",
			 disk - (set >> 4) + 1, 0, set >> 4, set & 15);
	offer.head.identity_len =
		snprintf(identity, sizeof(identity), "{\"path\":\"/dev/x%d\"}", disk);
	offer.manifest = len ? (const char *)text : manifest;
	offer.manifest_len = len ? len : strlen(manifest);
	/* After a break the same disk is offered again, and END is over all of it. */
	if (disk != told.disk || memcmp(&told.map, &offer.head.map, sizeof(told.map)) != 0)
		told.chunks = told.size = 0;
	told.map = offer.head.map;
	told.disk = disk;
	peer_put_made(peer, WIRE_TYPE_OFFER, payload,
		      wire_offer_put(&offer, payload, sizeof(payload)));
}

static void recv_tell(uint64_t index, uint32_t len)
{
	if (index >= RECV_CHUNKS)
		return;
	digest_chunk(told.content, len, &told.digests[index]);
	if (index >= told.chunks) {
		told.chunks = index + 1;
		told.size = MIN(chunk_offset(&told.map, index) + len, told.map.size);
	}
}

static void recv_data(struct peer *peer)
{
	struct wire_data data = {.index = peer_u16(peer)};
	uint32_t flags = peer_u8(peer), len = peer_u16(peer);
	size_t stored;

	if (!len && data.index < chunk_count(&told.map))
		len = chunk_length(&told.map, data.index);
	memset(told.content, peer_u8(peer), len);
	recv_tell(data.index, len);
	digest_chunk(told.content, len, &data.entry.digest);
	fuzz_require(pack_chunk(told.pack, told.content, len, told.frame + WIRE_DATA,
				PACK_FRAME_MOST, &stored) == 0);
	data.entry.flags = flags;
	data.entry.stored_size = stored;
	data.entry.stored_hash = digest_stored(told.frame + WIRE_DATA, stored);
	int r = wire_data_put(&data, told.frame);

	peer_put_made(peer, WIRE_TYPE_DATA, told.frame, r < 0 ? r : (int)(WIRE_DATA + stored));
}

static void recv_zero(struct peer *peer)
{
	struct wire_zero zero;
	uint8_t payload[64];

	zero.first = peer_u16(peer);
	zero.count = peer_u16(peer);
	zero.flags = peer_u8(peer);
	memset(told.content, 0, told.map.chunk_size);
	for (uint64_t i = zero.first; i < zero.first + zero.count && i < RECV_CHUNKS; i++)
		recv_tell(i, i < chunk_count(&told.map) ? chunk_length(&told.map, i) : 0);
	peer_put_made(peer, WIRE_TYPE_ZERO, payload,
		      wire_zero_put(&zero, payload, sizeof(payload)));
}

static void recv_unreadable(struct peer *peer)
{
	uint32_t count = peer_u8(peer) % (RECV_RANGES + 1);
	uint64_t first = peer_u16(peer), len = peer_u16(peer), gap = peer_u16(peer);
	struct wire_range ranges[RECV_RANGES];
	uint8_t payload[64 + sizeof(ranges)];

	for (uint32_t i = 0; i < count; i++)
		ranges[i] = (struct wire_range){(first + i * gap) * 512, len * 512};
	peer_put_made(peer, WIRE_TYPE_UNREADABLE, payload,
		      wire_unreadable_put(ranges, count, payload, sizeof(payload)));
}

static void recv_end(struct peer *peer)
{
	uint8_t twist = peer_u8(peer), payload[64];
	struct wire_end end = {.chunks = told.chunks, .size = told.size};
	struct digest_state state;

	digest_start(&state);
	for (uint64_t i = 0; i < told.chunks; i++)
		digest_update(&state, told.digests[i].bytes, DIGEST_SIZE);
	digest_root(&state, told.size, told.map.chunk_size, &end.root);
	end.chunks += twist == 1;
	end.size += twist == 2;
	end.root.bytes[0] ^= twist == 3;
	peer_put_made(peer, WIRE_TYPE_END, payload, wire_end_put(&end, payload, sizeof(payload)));
}

static void recv_step(struct peer *peer, uint8_t step)
{
	static void (*const steps[])(struct peer *) = {recv_offer, recv_data, recv_zero,
						       recv_unreadable, recv_end};

	steps[step](peer);
}

static bool recv_says(struct peer *peer, uint8_t type, const uint8_t *payload, size_t len)
{
	struct wire_zero zero;
	struct wire_end end;

	if (type == WIRE_TYPE_END && wire_end_get(payload, len, &end) == 0)
		peer_roots_add(&peer->said, &end.root);
	return type != WIRE_TYPE_ZERO || wire_zero_get(payload, len, &zero) < 0 ||
	       zero.count <= RECV_ZEROS;
}

static void recv_hears(struct peer *peer, uint8_t type, const uint8_t *payload, size_t len)
{
	struct digest root;

	if (type != WIRE_TYPE_RESULT)
		return;
	fuzz_require(len >= 32);
	memcpy(root.bytes, payload + 16, DIGEST_SIZE);
	if (payload[0] != WIRE_STATUS_FAILED)
		peer_roots_add(&peer->heard, &root);
}

static const struct peer_side recv_side = {
	.role = WIRE_SENDER,
	.dials = true,
	.steps = 5,
	.step = recv_step,
	.says = recv_says,
	.hears = recv_hears,
};

/* The root of the first SIZE bytes of FD, by chunks of some size, must be ROOT. */
static void recv_check_bytes(int fd, uint64_t size, const struct digest *root)
{
	uint8_t *bytes = malloc(size + 1);
	struct digest digest;
	bool same = false;

	fuzz_require(bytes && pread(fd, bytes, size + 1, 0) >= (ssize_t)size);
	for (uint32_t len = CHUNK_SIZE_LEAST; !same && len <= CHUNK_SIZE_MOST; len *= 2) {
		struct digest_state state;
		uint64_t at = 0;

		digest_start(&state);
		do {
			digest_chunk(bytes + at, MIN(len, size - at), &digest);
			digest_update(&state, digest.bytes, DIGEST_SIZE);
			at += len;
		} while (at < size);
		digest_root(&state, size, len, &digest);
		same = digest_equal(&digest, root);
	}
	fuzz_require(same);
	free(bytes);
}

static void recv_check_image(int fd, struct digest *ret)
{
	const struct verify_options options = {.threads = 1};
	struct verify_result result;

	fuzz_require(lseek(fd, 0, SEEK_SET) == 0);
	fuzz_require(verify_file(fd, &options, &result) == 0);
	*ret = result.root;
}

/* Every image that has its name is whole, and one of those that were reported. */
static void recv_check_folder(const struct recv_run *run)
{
	DIR *folder = opendir(peer_folder);
	struct dirent *entry;
	struct digest root;
	unsigned int images = 0;

	fuzz_require(folder != NULL);
	while ((entry = readdir(folder))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".zst") != 0)
			continue;
		int fd = openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC);

		recv_check_image(fd, &root);
		close(fd);
		fuzz_require(peer_roots_have(&run->complete, &root));
		images++;
	}
	closedir(folder);
	if (run->kind == RECV_FILE || run->kind == RECV_FOLDER)
		fuzz_require(images == run->disks);
}

static void recv_check(struct recv_run *run, const struct recv_result *result)
{
	struct digest root;

	run->disks++;
	peer_roots_add(&run->complete, &result->root);
	if (run->kind == RECV_RAW || run->kind == RECV_TARGET)
		recv_check_bytes(run->fd, result->size, &result->root);
	if (run->kind != RECV_IMAGE)
		return;
	recv_check_image(run->fd, &root);
	fuzz_require(digest_equal(&root, &result->root));
}

static int recv_sink(struct recv_run *run, struct sink **ret)
{
	const struct sink_options options = {
		.force = run->kind == RECV_TARGET,
		.from = -1,
		.resumes = true,
		.recheck = run->bits & RECV_RECHECK,
		.verify = run->bits & RECV_READ_BACK,
		.progress = PROGRESS_NONE,
	};
	char path[96];

	switch (run->kind) {
	case RECV_FILE:
		return sink_open_file(peer_path("image.zst", path), &options, ret, run->why,
				      sizeof(run->why));
	case RECV_RAW: return sink_open_raw(run->fd, &options, ret);
	case RECV_IMAGE: return sink_open_image(run->fd, &options, ret);
	case RECV_TARGET:
		return sink_open_disk(peer_path("target", path), &options, ret, run->why,
				      sizeof(run->why));
	default: return sink_open_folder(run->folder, &options, ret);
	}
}

/* As tbrecv does it. */
static int recv_disks(struct recv_run *run, struct link *link)
{
	struct recv_result before = {0}, result;
	bool more = true;
	int r = 0;

	while (r == 0 && more) {
		struct sink *sink = NULL;

		mend_setup(&run->mend, &run->options, WIRE_RECEIVER);
		r = recv_sink(run, &sink);
		if (r == 0)
			r = recv_records(link, sink, &run->recv, before.next ? &before : NULL,
					 &result, run->why, sizeof(run->why));
		sink_close(sink);
		free(before.next);
		before.next = NULL;
		fuzz_require(r == 0 || run->why[0]);
		if (r == 0) {
			recv_check(run, &result);
			before = result;
			more = result.next != NULL;
		}
		recv_check_folder(run);
	}
	free(before.next);
	return r;
}

/* What has no name is written anew by every program. */
static void recv_empty(struct recv_run *run)
{
	char path[96];

	run->fd = open(peer_path("target", path), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	fuzz_require(run->fd >= 0);
	if (run->kind == RECV_TARGET)
		fuzz_require(ftruncate(run->fd, RECV_DISK) == 0);
}

static bool recv_program(struct recv_run *run)
{
	struct link *link = NULL;
	int r = 0;

	recv_empty(run);
	if (run->kind == RECV_FOLDER)
		r = folder_open(peer_folder, true, &run->folder, run->why, sizeof(run->why));
	if (r == 0)
		r = peer_link(&run->options, WIRE_RECEIVER, &link);
	if (r == 0)
		r = recv_disks(run, link);
	link_close(link);
	recv_past_clear(&run->past);
	folder_close(run->folder);
	run->folder = NULL;
	close(run->fd);
	return r == 0;
}

/* Returns how many disks came. */
static unsigned int recv_fuzz(const uint8_t *data, size_t size)
{
	static struct recv_run run;
	unsigned int programs = 0;

	if (size < 2)
		return 0;
	run = (struct recv_run){.kind = data[0] % RECV_KINDS, .bits = data[1]};
	told.map = (struct chunk_map){.size = 0, .chunk_size = CHUNK_SIZE_LEAST};
	told.chunks = told.size = told.disk = 0;
	peer_clean();
	peer_start(&run.peer, &recv_side, data + 2, size - 2);
	peer_options(&run.peer, &run.options);
	run.recv = (struct recv_options){
		.progress = PROGRESS_NONE,
		.threads = run.bits & RECV_SEVERAL ? RECV_THREADS : 1,
		.folder = run.kind == RECV_FOLDER,
		.mend = run.bits & RECV_MEND ? &run.mend : NULL,
		.past = run.bits & RECV_MEND ? &run.past : NULL,
	};
	while (!recv_program(&run) && run.bits & RECV_AGAIN && ++programs < RECV_PROGRAMS)
		;
	peer_stop(&run.peer);
	for (unsigned int i = 0; i < run.complete.count; i++)
		fuzz_require(peer_roots_have(&run.peer.said, &run.complete.roots[i]));
	for (unsigned int i = 0; i < run.peer.heard.count; i++)
		fuzz_require(peer_roots_have(&run.complete, &run.peer.heard.roots[i]));
	return run.disks;
}

static void recv_setup(void)
{
	if (told.pack)
		return;
	peer_setup();
	fuzz_require(pack_new(PACK_LEVEL_DEFAULT, &told.pack) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	recv_setup();
	recv_fuzz(data, size);
	return 0;
}
