// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A whole transfer from a sender whose receiver is INPUT: a byte that chooses what is sent, one of
 * options (enum send_bit), and the script (peer_fuzz.h). Steps of its own:
 *   7 ACCEPT  u8 bits (enum accept_bit), u8 first chunk, u8 first digest, u8 digests, u8 which of
 *             them is wrong (0: none), u8 flags of all
 *   8 RESULT  u8 status, u8: 0 the right root, else another
 *   9 ACK     u16 chunks
 * Whatever comes, success means that a RESULT with the source's root came, which is no failure.
 */
#include "peer_run.h"

#include "codec/pack.h"
#include "io/store.h"
#include "send/send.h"

#define SEND_CHUNKS 9u
#define SEND_SMALL  4096u
#define SEND_SIZE   (8 * SEND_SMALL + 100)		 /* of the image's disk, bytes */
#define SEND_DISK   (2 * (uint64_t)CHUNK_SIZE + 5 * 512) /* mostly a hole */
#define SEND_STREAM 5000u

enum send_kind { SEND_IMAGE, SEND_FILE, SEND_RESCUED, SEND_STDIN, SEND_KINDS };
enum send_bit { SEND_MEND = 1, SEND_RECHECK = 2 };
enum accept_bit { ACCEPT_REFUSED = 1, ACCEPT_MORE = 2, ACCEPT_FILLS = 4, ACCEPT_FLAGS = 8 };

/* What there is to send. */
struct send_kept {
	int fd;
	char path[96];
	uint64_t size;
	uint32_t chunk_size;
	struct digest digests[SEND_CHUNKS], root;
};

/* The disk and the stream are files, the image is of another one. */
static struct send_kept send_image, send_disk, send_stream;
static const struct send_kept *const send_kinds[] = {&send_image, &send_disk, &send_disk,
						     &send_stream};
static const struct send_kept *send_now;
/* The receiver told of a chunk that was not read everywhere: then nobody compares its digest. */
static bool send_lied;

static void send_accept(struct peer *peer)
{
	uint8_t bits = peer_u8(peer), digests[256 * DIGEST_SIZE] = {0}, flags[256], wrong;
	static uint8_t payload[1024 + sizeof(digests) + sizeof(flags)];
	struct wire_accept accept = {
		.refused = bits & ACCEPT_REFUSED,
		.more = bits & ACCEPT_MORE,
		.fills = bits & ACCEPT_FILLS,
		.digests = digests,
		.flags = bits & ACCEPT_FLAGS ? flags : NULL,
	};

	accept.first = peer_u8(peer);
	accept.have_first = peer_u8(peer);
	accept.have = peer_u8(peer);
	wrong = peer_u8(peer);
	memset(flags, peer_u8(peer), sizeof(flags));
	for (uint32_t i = 0; i < accept.have && accept.have_first + i < SEND_CHUNKS; i++)
		memcpy(digests + (size_t)i * DIGEST_SIZE,
		       send_now->digests[accept.have_first + i].bytes, DIGEST_SIZE);
	digests[wrong ? (wrong - 1) * DIGEST_SIZE : 0] ^= wrong != 0;
	if (accept.refused)
		strcpy(accept.sentence, "no");
	peer_put_made(peer, WIRE_TYPE_ACCEPT, payload,
		      wire_accept_put(&accept, payload, sizeof(payload)));
}

static void send_result(struct peer *peer)
{
	struct wire_result result = {.status = peer_u8(peer), .root = send_now->root};
	uint8_t payload[WIRE_SENTENCE_MOST + 64];

	result.root.bytes[3] ^= peer_u8(peer);
	strcpy(result.sentence, "so it is");
	peer_put_made(peer, WIRE_TYPE_RESULT, payload,
		      wire_result_put(&result, payload, sizeof(payload)));
}

static void send_ack(struct peer *peer)
{
	struct wire_ack ack = {.chunks = peer_u16(peer)};
	uint8_t payload[64];

	peer_put_made(peer, WIRE_TYPE_ACK, payload, wire_ack_put(&ack, payload, sizeof(payload)));
}

static void send_step(struct peer *peer, uint8_t step)
{
	static void (*const steps[])(struct peer *) = {send_accept, send_result, send_ack};

	steps[step](peer);
}

static bool send_says(struct peer *peer, uint8_t type, const uint8_t *payload, size_t len)
{
	struct wire_result result;
	struct wire_accept accept;

	if (type == WIRE_TYPE_ACCEPT && wire_accept_get(payload, len, &accept) == 0)
		send_lied |= accept.flags != NULL;

	if (type == WIRE_TYPE_RESULT && wire_result_get(payload, len, &result) == 0 &&
	    result.status != WIRE_STATUS_FAILED)
		peer_roots_add(&peer->said, &result.root);
	return true;
}

/* A sender that is right tells of no other root than its source's. */
static void send_hears(struct peer *peer, uint8_t type, const uint8_t *payload, size_t len)
{
	struct wire_end end;

	if (type != WIRE_TYPE_END)
		return;
	fuzz_require(wire_end_get(payload, len, &end) == 0);
	peer_roots_add(&peer->heard, &end.root);
}

static const struct peer_side send_side = {
	.role = WIRE_RECEIVER,
	.steps = 3,
	.step = send_step,
	.says = send_says,
	.hears = send_hears,
};

/* What KEPT is, chunk by chunk. */
static void send_count(struct send_kept *kept, uint64_t size, uint32_t chunk_size,
		       const uint8_t *bytes)
{
	struct chunk_map map = {.size = size, .chunk_size = chunk_size};
	struct digest_state state;

	kept->size = size;
	kept->chunk_size = chunk_size;
	digest_start(&state);
	for (uint64_t i = 0; i < chunk_count(&map); i++) {
		digest_chunk(bytes + chunk_offset(&map, i), chunk_length(&map, i),
			     &kept->digests[i]);
		digest_update(&state, kept->digests[i].bytes, DIGEST_SIZE);
	}
	digest_root(&state, size, chunk_size, &kept->root);
}

static void send_create(struct send_kept *kept, const char *name)
{
	kept->fd = open(peer_path(name, kept->path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	fuzz_require(kept->fd >= 0);
}

/* A disk of chunks of which every third is zeros, as an image. */
static void send_make_image(struct send_kept *kept)
{
	static const char identity[] = "{\"path\":\"/dev/x\"}";
	const struct image_head head = {
		.transfer_id = {7},
		.map = {.size = SEND_SIZE, .chunk_size = SEND_SMALL},
		.created = 1,
		.identity = identity,
		.identity_len = sizeof(identity) - 1,
	};
	static uint8_t bytes[SEND_SIZE], frame[2 * SEND_SMALL];
	json_t *manifest = json_pack("{s:{s:s}}", "source", "path", "/dev/x");
	struct store *store = NULL;
	struct pack *pack = NULL;
	struct digest root;

	send_create(kept, "source.zst");
	fuzz_require(manifest && store_new(kept->fd, &head, &store) == 0);
	fuzz_require(pack_new(PACK_LEVEL_DEFAULT, &pack) == 0);
	for (uint64_t i = 0; i < chunk_count(&head.map); i++) {
		uint32_t len = chunk_length(&head.map, i);
		struct image_entry entry = {0};
		size_t stored;

		memset(bytes + chunk_offset(&head.map, i), i % 3, len);
		digest_chunk(bytes + chunk_offset(&head.map, i), len, &entry.digest);
		fuzz_require(pack_chunk(pack, bytes + chunk_offset(&head.map, i), len, frame,
					sizeof(frame), &stored) == 0);
		entry.stored_size = stored;
		entry.stored_hash = digest_stored(frame, stored);
		fuzz_require(store_chunk(store, &entry, frame) == 0);
	}
	fuzz_require(store_finish(store, manifest, &root) == 0);
	send_count(kept, SEND_SIZE, SEND_SMALL, bytes);
	fuzz_require(digest_equal(&root, &kept->root));
	store_free(store);
	pack_free(pack);
	json_decref(manifest);
}

static void send_make_file(struct send_kept *kept, const char *name, uint64_t size)
{
	static uint8_t bytes[SEND_DISK];

	send_create(kept, name);
	memset(bytes, 0, sizeof(bytes));
	memset(bytes + 100, 5, 3000);
	memset(bytes + size - 20, 6, 20);
	fuzz_require(pwrite(kept->fd, bytes, 4096, 0) == 4096);
	fuzz_require(pwrite(kept->fd, bytes + size - 20, 20, size - 20) == 20);
	send_count(kept, size, CHUNK_SIZE, bytes);
}

static int send_source(uint8_t kind, struct source **ret, char *why, size_t len)
{
	int r;

	if (kind == SEND_STDIN) {
		fuzz_require(lseek(send_now->fd, 0, SEEK_SET) == 0);
		return source_open_stream(send_now->fd, PACK_LEVEL_DEFAULT, ret, why, len);
	}
	r = source_open(send_now->path, PACK_LEVEL_DEFAULT, 0, ret, why, len);
	if (r == 0 && kind == SEND_RESCUED)
		r = source_rescue(*ret, 1, NULL, why, len);
	return r;
}

static bool send_program(struct peer *peer, uint8_t kind, uint8_t bits)
{
	struct source *source = NULL;
	struct send_result result;
	struct options options;
	struct link *link = NULL;
	struct mend mend;
	struct send_options send = {
		.mend = bits & SEND_MEND ? &mend : NULL,
		.recheck = bits & SEND_RECHECK,
	};
	char why[768] = "";

	peer_options(peer, &options);
	mend_setup(&mend, &options, WIRE_SENDER);
	fuzz_require(send_source(kind, &source, why, sizeof(why)) == 0);
	int r = peer_link(&options, WIRE_SENDER, &link);

	if (r == 0) {
		r = send_records(source, link, &send, &result, why, sizeof(why));
		fuzz_require(r == 0 || why[0]);
	}
	if (r == 0) {
		fuzz_require(result.peer.status != WIRE_STATUS_FAILED &&
			     result.size == send_now->size &&
			     digest_equal(&result.root, &send_now->root) &&
			     digest_equal(&result.peer.root, &send_now->root));
		send_bye(link);
	}
	link_close(link);
	source_close(source);
	return r == 0;
}

/* Returns whether it was all confirmed. */
static unsigned int send_fuzz(const uint8_t *data, size_t size)
{
	struct peer peer;
	bool done;

	if (size < 2)
		return 0;
	send_now = send_kinds[data[0] % SEND_KINDS];
	send_lied = false;
	peer_start(&peer, &send_side, data + 2, size - 2);
	done = send_program(&peer, data[0] % SEND_KINDS, data[1]);
	peer_stop(&peer);
	fuzz_require(!done || peer_roots_have(&peer.said, &send_now->root));
	fuzz_require(send_lied || !peer.heard.count ||
		     (peer.heard.count == 1 && peer_roots_have(&peer.heard, &send_now->root)));
	return done;
}

static void send_setup(void)
{
	if (peer_folder[0])
		return;
	peer_setup();
	send_make_image(&send_image);
	send_make_file(&send_disk, "disk", SEND_DISK);
	send_make_file(&send_stream, "stream", SEND_STREAM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	send_setup();
	send_fuzz(data, size);
	return 0;
}
