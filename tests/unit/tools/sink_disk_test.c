// SPDX-License-Identifier: GPL-2.0-or-later
/* A disk as a sink: the last question, the sizes, and what is read back. */
#include "../io/disk_test.h"

#include "codec/pack.h"
#include "io/disk.h"
#include "sink/sink.h"
#include "ui/msg.h"

/* What the user is asked, and answers; NULL: nobody is there. */
static char asked[2048];
static const char *answer;

static int ask(const char *question, char *ret, size_t len)
{
	snprintf(asked, sizeof(asked), "%s", question);
	if (!answer)
		return -ENOTTY;
	return snprintf(ret, len, "%s", answer);
}

static struct sink *sink_open(const char *path, const struct sink_options *options)
{
	struct sink_options all = *options;
	struct sink *sink = NULL;
	char why[512] = "";

	all.ask = ask;
	asked[0] = '\0';
	if (sink_open_disk(path, &all, &sink, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	return sink;
}

static int sink_offer(struct sink *sink, uint64_t size, const char *json)
{
	const struct image_head head = {
		.map = {.size = size, .chunk_size = CHUNK_SIZE},
		.logical_sector = 512,
	};
	json_t *manifest = json_loads(json, 0, NULL);
	int r;

	assert_non_null(manifest);
	r = sink_begin(sink, &head, manifest);
	json_decref(manifest);
	return r;
}

/* One chunk of LEN bytes of VALUE. */
static int sink_put_fill(struct sink *sink, uint8_t value, uint32_t len)
{
	uint8_t *data = aligned_alloc(DISK_ALIGN, CHUNK_SIZE);
	struct image_entry entry = {.stored_size = PACK_FRAME_LEAST};
	struct sink_chunk chunk = {.entry = &entry, .content = data, .length = len};
	int r;

	assert_non_null(data);
	memset(data, value, len);
	digest_chunk(data, len, &entry.digest);
	r = sink_chunk(sink, &chunk);
	free(data);
	return r;
}

static int sink_end(struct sink *sink)
{
	json_t *manifest = json_object();
	enum sink_end end;
	int r = sink_finish(sink, manifest, &end);

	json_decref(manifest);
	return r;
}

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in: %s", part, text);
}

#define SOURCE                                                                  \
	"{\"source\": {\"path\": \"/dev/sdx\", \"model\": \"Old\\u001b[2J\"}, " \
	"\"host\": {\"name\": \"laptop\"}}"

/* The answer ANSWER to the question about PATH. */
static int answered(const char *path, const char *text)
{
	struct sink *sink = sink_open(path, &(struct sink_options){.from = -1});
	int r;

	answer = text;
	r = sink_offer(sink, 8 * MIB, SOURCE);
	if (r < 0)
		assert_true(sink_why(sink)[0] != '\0');
	sink_close(sink);
	return r;
}

static void a_file_wants_a_yes(void **state)
{
	const char *path = test_file("file", 8 * MIB, 5);

	(void)state;
	assert_int_equal(answered(path, "no"), -ECANCELED);
	assert_int_equal(answered(path, ""), -ECANCELED);
	assert_int_equal(answered(path, NULL), -EEXIST);
	assert_true(test_holds(path, 0, 8 * MIB, 5));
	assert_says(asked, "data of an unknown kind");
	assert_says(asked, "/dev/sdx, Old?[2J (8.0 MiB) of laptop");
	assert_int_equal(answered(path, "Yes"), 0);
	/* Now it is wiped: nothing is left to ask about. */
	answer = NULL;
	assert_int_equal(answered(test_file("file", 8 * MIB, -1), NULL), 0);
	assert_string_equal(asked, "");
}

static void a_disk_wants_what_is_its_own(void **state)
{
	struct test_loop loop;

	(void)state;
	test_loop_open(test_file("back", 8 * MIB, -1), 512, 0, &loop);
	test_run("mkfs.ext4 -q -L home %s", loop.path);
	assert_int_equal(answered(loop.path, "yes"), -ECANCELED);
	assert_int_equal(answered(loop.path, "8608"), -ECANCELED);
	assert_says(asked, "holds ext4 home");
	assert_says(asked, "type its size in bytes, 8388608: ");
	test_run("dumpe2fs -h %s", loop.path);
	assert_int_equal(answered(loop.path, "8388608"), 0);
	assert_true(test_holds(loop.path, 0, 4 * MIB, 0));
	test_loop_close(&loop);
}

static void confirm_needs_a_serial_number(void **state)
{
	const char *back = test_file("back", 8 * MIB, 5);
	struct test_loop loop;
	struct sink *sink;

	(void)state;
	test_loop_open(back, 512, 0, &loop);
	sink = sink_open(loop.path, &(struct sink_options){.from = -1, .confirm = "8388608"});
	assert_int_equal(sink_offer(sink, 8 * MIB, SOURCE), -EPERM);
	assert_says(sink_why(sink), "cannot be confirmed by a serial number");
	sink_close(sink);
	assert_string_equal(asked, "");
	assert_true(test_holds(loop.path, 0, 8 * MIB, 5));
	test_loop_close(&loop);
}

static void an_image_on_its_own_disk_is_refused(void **state)
{
	const struct sink_options options = {.force = true, .from = 0};
	struct sink_options own = options;
	struct sink *sink = NULL;
	struct test_loop loop;
	char why[512] = "";

	(void)state;
	test_loop_open(test_file("back", 8 * MIB, 5), 512, 0, &loop);
	own.from = open(loop.path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(sink_open_disk(loop.path, &own, &sink, why, sizeof(why)), -EBUSY);
	assert_null(sink);
	assert_says(why, "holds the image");
	close(own.from);
	test_loop_close(&loop);
	own.from = open(test_file("file", 100, 5), O_RDONLY | O_CLOEXEC);
	assert_int_equal(sink_open_disk(test_path("file"), &own, &sink, why, sizeof(why)), -EBUSY);
	close(own.from);
	assert_true(test_holds(test_path("file"), 0, 100, 5));
}

/* What is read back: chunks, zeros, and a shorter end. */
static const uint64_t verified_size = 3 * CHUNK_SIZE + 1000;

/* Restores with --verify; byte CHANGED of the target changes before it is read back. */
static void verified(const char *path, int64_t changed, int expected)
{
	struct sink *sink =
		sink_open(path, &(struct sink_options){.force = true, .verify = true, .from = -1});
	int fd;

	assert_int_equal(sink_offer(sink, verified_size, "{}"), 0);
	assert_int_equal(sink_put_fill(sink, 1, CHUNK_SIZE), 0);
	assert_int_equal(sink_put_fill(sink, 2, CHUNK_SIZE), 0);
	assert_int_equal(sink_zero(sink, 1, 0), 0);
	assert_int_equal(sink_put_fill(sink, 4, 1000), 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (changed >= 0)
		assert_int_equal(pwrite(fd, "x", 1, changed), 1);
	close(fd);
	assert_int_equal(sink_end(sink), expected);
	if (expected)
		assert_says(sink_why(sink), "does not give back what was written to bytes");
	if (changed == 5 * MIB)
		assert_says(sink_why(sink), "bytes 4194304 to 8388607");
	sink_close(sink);
}

static void what_the_disk_lost_is_found(void **state)
{
	struct test_loop loop;

	(void)state;
	verified(test_file("file", verified_size, 9), -1, 0);
	verified(test_path("file"), 5 * MIB, -EIO);
	verified(test_path("file"), 2 * CHUNK_SIZE - 1, -EIO);
	verified(test_path("file"), 8 * MIB + 999, -EIO);
	/* What is kept back to the end overwrites what was there. */
	verified(test_path("file"), 0, 0);
	verified(test_file("file", 20 * MIB, 9), 19 * MIB, 0);
	test_loop_open(test_file("back", 20 * MIB, 9), 4096, 0, &loop);
	verified(loop.path, -1, 0);
	verified(loop.path, 5 * MIB, -EIO);
	test_loop_close(&loop);
}

#define TABLE(type, start, size)                                                                  \
	"{\"table\": {\"type\": \"" type "\", \"partitions\": [{\"number\": 1, \"start\": " start \
	", \"size\": " size "}]}}"

/* The offer of an image of 64 MiB to a disk of 16 MiB; says PART where it is refused. */
static void offered(bool fit, const char *manifest, const char *part)
{
	const char *path = test_file("file", 16 * MIB, 5);
	struct sink *sink =
		sink_open(path, &(struct sink_options){.force = true, .fit = fit, .from = -1});
	int r = sink_offer(sink, 64 * MIB, manifest);

	assert_int_equal(r, part ? -ENOSPC : 0);
	if (part) {
		assert_says(sink_why(sink), part);
		assert_true(test_holds(path, 0, 16 * MIB, 5));
	}
	sink_close(sink);
}

static void what_does_not_fit_is_refused(void **state)
{
	(void)state;
	offered(true, "{}", "(50331648 bytes more)");
	offered(true, "{\"table\": {\"type\": \"gpt\"}}", "(50331648 bytes more)");
	offered(true, TABLE("sun", "1048576", "1048576"), "(50331648 bytes more)");
	offered(true, TABLE("gpt", "-1", "1048576"), "(50331648 bytes more)");
	offered(true, TABLE("gpt", "1048576", "-5"), "(50331648 bytes more)");
	offered(true, TABLE("gpt", "1048576", "9223372036854775807"), "its last partition ends");
	offered(true, TABLE("gpt", "1048576", "15728640"), "its last partition ends at 16.0 MiB");
	offered(true, TABLE("dos", "1048576", "15728641"), "its last partition ends at 16.0 MiB");
	offered(false, TABLE("dos", "1048576", "15728640"), "give --fit");
	offered(true, TABLE("dos", "1048576", "15728640"), NULL);
	offered(true, TABLE("gpt", "1048576", "15711745"), "its last partition ends");
	offered(true, TABLE("gpt", "1048576", "15711744"), NULL);
}

/* What stands behind the last partition goes where there is room, or is left out. */
static void data_behind_the_last_partition_are_left_out(void **state)
{
	const char *path = test_file("file", 15 * MIB, 5);
	const struct sink_options options = {.force = true, .fit = true, .from = -1};
	struct sink *sink = sink_open(path, &options);

	(void)state;
	assert_int_equal(sink_offer(sink, 64 * MIB, TABLE("dos", "1048576", "1048576")), 0);
	assert_int_equal(sink_zero(sink, 3, 0), 0);
	assert_int_equal(sink_put_fill(sink, 0, CHUNK_SIZE), 0);
	assert_int_equal(sink_zero(sink, 1, 0), 0);
	assert_int_equal(sink_put_fill(sink, 0, CHUNK_SIZE), 0);
	assert_int_equal(sink_put_fill(sink, 7, CHUNK_SIZE), 0);
	assert_int_equal(sink_zero(sink, 9, 0), 0);
	assert_says(sink_note(sink), "is not complete");
	assert_int_equal(sink_end(sink), 0);
	assert_string_equal(sink_note(sink), "");
	sink_close(sink);

	sink = sink_open(path, &options);
	assert_int_equal(sink_offer(sink, 16 * MIB, TABLE("dos", "1048576", "1048576")), 0);
	assert_int_equal(sink_zero(sink, 3, 0), 0);
	assert_int_equal(sink_put_fill(sink, 7, CHUNK_SIZE), 0);
	assert_int_equal(sink_end(sink), 0);
	assert_true(test_holds(path, 12 * MIB, 3 * MIB, 7));
	sink_close(sink);
	/* A GPT that was offered and did not come. */
	sink = sink_open(path, &options);
	assert_int_equal(sink_offer(sink, 16 * MIB, TABLE("gpt", "1048576", "1048576")), 0);
	assert_int_equal(sink_zero(sink, 4, 0), 0);
	assert_true(sink_end(sink) < 0);
	assert_says(sink_why(sink), "cannot be made to fit");
	sink_close(sink);
}

static void other_sectors_are_refused(void **state)
{
	struct sink_options options = {.from = -1};
	struct test_loop loop;
	struct sink *sink;

	(void)state;
	test_loop_open(test_file("back", 8 * MIB, -1), 4096, 0, &loop);
	sink = sink_open(loop.path, &options);
	assert_int_equal(sink_offer(sink, 4 * MIB, TABLE("gpt", "1048576", "1048576")), -EINVAL);
	assert_says(sink_why(sink), "sectors of 4096 bytes, the image's disk had 512");
	assert_int_equal(sink_offer(sink, 4 * MIB, "{}"), 0);
	sink_close(sink);
	options.force = true;
	sink = sink_open(loop.path, &options);
	assert_int_equal(sink_offer(sink, 4 * MIB, TABLE("gpt", "1048576", "1048576")), 0);
	sink_close(sink);
	test_loop_close(&loop);
}

/* With --discard zeros within a chunk take no room; without it they do. */
static void zeros_take_no_room(void **state)
{
	struct sink_options options = {.force = true, .from = -1};
	const char *back = test_file("back", 16 * MIB, 5);
	struct test_loop loop;
	struct sink *sink;
	struct stat st;

	(void)state;
	test_loop_open(back, 512, 0, &loop);
	for (int discard = 0; discard < 2; discard++) {
		options.discard = discard;
		sink = sink_open(loop.path, &options);
		assert_int_equal(sink_offer(sink, 16 * MIB, "{}"), 0);
		assert_int_equal(sink_put_fill(sink, 1, CHUNK_SIZE), 0);
		assert_int_equal(sink_put_fill(sink, 0, CHUNK_SIZE), 0);
		assert_int_equal(sink_zero(sink, 1, 0), 0);
		assert_int_equal(sink_put_fill(sink, 1, CHUNK_SIZE), 0);
		assert_int_equal(sink_end(sink), 0);
		sink_close(sink);
		assert_int_equal(stat(back, &st), 0);
		assert_int_equal(st.st_blocks * 512 < 9 * MIB, discard);
		assert_true(test_holds(loop.path, 0, 4 * MIB, 1));
		assert_true(test_holds(loop.path, 4 * MIB, 8 * MIB, 0));
		assert_true(test_holds(loop.path, 12 * MIB, 4 * MIB, 1));
	}
	test_loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_wants_a_yes),
		cmocka_unit_test(a_disk_wants_what_is_its_own),
		cmocka_unit_test(confirm_needs_a_serial_number),
		cmocka_unit_test(an_image_on_its_own_disk_is_refused),
		cmocka_unit_test(what_the_disk_lost_is_found),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(data_behind_the_last_partition_are_left_out),
		cmocka_unit_test(other_sectors_are_refused),
		cmocka_unit_test(zeros_take_no_room),
	};

	msg_setup("sink_disk_test", MSG_QUIET, false);
	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
