// SPDX-License-Identifier: GPL-2.0-or-later
/* An image under a name as a sink: what an earlier run left, whose it is, and what is made of it.
 */
#include "../io/resume_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "sink/sink.h"

static char folder[64], image[96], part[128], why[512];
static struct whole whole;

static const struct sink_options goes_on = {.resumes = true, .from = -1},
				 resume = {.resumes = true, .resume = true, .from = -1},
				 restart = {.resumes = true, .restart = true, .from = -1},
				 force = {.resumes = true, .force = true, .from = -1},
				 plain = {.from = -1};

/* In the place of the C library's, so that an image is the same whenever it is made. */
time_t time(time_t *ret)
{
	(void)ret;
	return 2;
}

static void put_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(out_write(fd, data, len), 0);
	close(fd);
}

/* Whether PATH has these bytes, and no others. */
static bool holds(const char *path, const void *data, size_t len)
{
	static uint8_t buf[sizeof(whole.data)];
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return false;
	ssize_t n = out_read_at(fd, buf, sizeof(buf), 0);
	close(fd);
	return n == (ssize_t)len && !memcmp(buf, data, len);
}

static bool there(const char *path)
{
	return access(path, F_OK) == 0;
}

static int each(void **state)
{
	(void)state;
	unlink(image);
	unlink(part);
	return 0;
}

/* What a sender offers that was started again: another transfer, at another time. */
static struct image_head offer(void)
{
	struct image_head head = test_head();

	head.transfer_id[0] = 9;
	head.created = 99;
	return head;
}

static struct sink *sink_of(const struct sink_options *options)
{
	struct sink *sink = NULL;

	if (sink_open_file(image, options, &sink, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	return sink;
}

static void put_chunks(struct sink *sink, uint64_t first, uint64_t end)
{
	static uint8_t frame[PACK_FRAME_MOST];
	struct image_entry entry;

	for (uint64_t i = first; i < end; i++) {
		struct sink_chunk chunk = {.entry = &entry, .frame = frame};

		test_chunk(i, &entry, frame);
		assert_int_equal(sink_chunk(sink, &chunk), 0);
	}
}

static void finish(struct sink *sink, uint64_t first)
{
	json_t *manifest = json_object();
	enum sink_end end;

	put_chunks(sink, first, CHUNKS);
	assert_int_equal(sink_finish(sink, manifest, &end), 0);
	assert_int_equal(end, SINK_DURABLE);
	assert_string_equal(sink_note(sink), "");
	json_decref(manifest);
	sink_close(sink);
	assert_false(there(part));
}

/* The run with OPTIONS goes on with what is there at chunk COUNT; the image becomes WHOLE. */
static void is_resumed(const struct sink_options *options, uint64_t count)
{
	struct sink *sink = sink_of(options);
	struct image_head head = offer(), own = test_head();
	struct image_entry entries[CHUNKS], entry;
	static uint8_t frame[PACK_FRAME_MOST];

	if (sink_begin(sink, &head, NULL) < 0)
		fail_msg("%s", sink_why(sink));
	assert_int_equal(sink_chunks(sink), count);
	assert_memory_equal(sink_head(sink)->transfer_id, own.transfer_id, 16);
	assert_int_equal(sink_head(sink)->created, own.created);
	assert_int_equal(sink_head(sink)->identity_len, own.identity_len);
	assert_memory_equal(sink_head(sink)->identity, own.identity, own.identity_len);
	assert_int_equal(sink_entry(sink, 0, count, entries), 0);
	for (uint64_t i = 0; i < count; i++) {
		test_chunk(i, &entry, frame);
		assert_true(digest_equal(&entries[i].digest, &entry.digest));
	}
	finish(sink, count);
	assert_true(holds(image, whole.data, whole.len));
}

/* The run with OPTIONS begins anew, whatever is there. */
static void is_begun(const struct sink_options *options)
{
	struct sink *sink = sink_of(options);
	struct image_head head = test_head();

	if (sink_begin(sink, &head, NULL) < 0)
		fail_msg("%s", sink_why(sink));
	assert_int_equal(sink_chunks(sink), 0);
	finish(sink, 0);
	assert_true(holds(image, whole.data, whole.len));
}

/* It is refused, by a sentence with TEXT in it, when it is opened or when HEAD is offered. */
static void is_refused(const struct sink_options *options, const struct image_head *head,
		       const char *text)
{
	struct sink *sink = NULL;

	if (sink_open_file(image, options, &sink, why, sizeof(why)) == 0) {
		assert_true(sink_begin(sink, head, NULL) < 0);
		snprintf(why, sizeof(why), "%s", sink_why(sink));
		assert_string_equal(sink_note(sink), "");
		sink_close(sink);
	}
	if (!strstr(why, text))
		fail_msg("no '%s' in: %s", text, why);
}

static void it_goes_on(void **state)
{
	struct image_head head = test_head();
	struct sink *sink = sink_of(&goes_on);

	(void)state;
	assert_int_equal(sink_begin(sink, &head, NULL), 0);
	assert_int_equal(sink_chunks(sink), 0);
	put_chunks(sink, 0, GAP - 1);
	assert_string_equal(sink_note(sink), "");
	put_chunks(sink, GAP - 1, 2 * GAP + 3);
	assert_non_null(strstr(sink_note(sink), "goes on with it"));
	assert_non_null(strstr(sink_note(sink), part));
	sink_close(sink);
	is_resumed(&goes_on, 2 * GAP);
	is_refused(&goes_on, &head, "exists and may be whole already: `tbstream verify ");
	is_refused(&goes_on, &head, "choose another name, or give --force");
	is_refused(&resume, &head, "complete already");
	assert_true(holds(image, whole.data, whole.len));
	put_file(image, "not ours", 8);
	is_refused(&goes_on, &head, "exists: choose another name, or give --force");
	put_file(image, whole.data, whole.len);
	is_begun(&force);
}

/* All is there but for the trailer, or even that. */
static void at_its_end(void **state)
{
	(void)state;
	put_file(part, whole.data, whole.data_len);
	is_resumed(&resume, CHUNKS);
	unlink(image);
	put_file(part, whole.data, whole.len);
	is_resumed(&goes_on, CHUNKS);
}

static void another_disk(void **state)
{
	static const char other[] = "{\"path\":\"/dev/x\",\"kind\":\"disk\",\"serial\":\"S2\"}",
			  moved[] = "{\"path\":\"/dev/y\",\"kind\":\"disk\",\"serial\":\"S1\"}";
	struct image_head head = offer();
	struct sink *sink;

	(void)state;
	put_file(part, whole.data, whole.ends[1]);
	head.identity = other;
	is_refused(&goes_on, &head,
		   "the beginning of another disk (S1): choose another name, or "
		   "give --restart");
	head = offer();
	head.map.size++;
	is_refused(&goes_on, &head, "another disk");
	head = offer();
	head.logical_sector = head.physical_sector = 512;
	is_refused(&goes_on, &head, "another disk");
	assert_true(holds(part, whole.data, whole.ends[1]));
	/* The same one, in another place. */
	head = offer();
	head.identity = moved;
	sink = sink_of(&goes_on);
	assert_int_equal(sink_begin(sink, &head, NULL), 0);
	assert_int_equal(sink_chunks(sink), 2 * GAP);
	sink_close(sink);
}

static void what_is_not_ours(void **state)
{
	struct image_head head = offer();
	char other[96];

	(void)state;
	put_file(part, "a letter", 8);
	is_refused(&goes_on, &head, "is there, but it is no image");
	assert_true(holds(part, "a letter", 8));
	assert_int_equal(unlink(part), 0);
	snprintf(other, sizeof(other), "%s/other", folder);
	put_file(other, whole.data, whole.ends[1]);
	assert_int_equal(symlink(other, part), 0);
	is_refused(&goes_on, &head, "cannot be opened");
	assert_true(holds(other, whole.data, whole.ends[1]));
	assert_int_equal(unlink(part), 0);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(mkfifo(part, 0600), 0);
	is_refused(&goes_on, &head, "no regular file");
	is_refused(&force, &head, "no regular file");
	assert_int_equal(unlink(part), 0);
	put_file(part, "a letter", 8);
	is_begun(&restart);
}

static void what_is_damaged(void **state)
{
	struct image_head head = offer();
	uint8_t *byte = whole.data + whole.ends[0] - 700;

	(void)state;
	*byte ^= 1;
	put_file(part, whole.data, whole.ends[1]);
	*byte ^= 1;
	is_refused(&goes_on, &head, "is damaged");
	is_begun(&restart);
	unlink(image);
	byte = whole.data + whole.ends[2] - 700;
	*byte ^= 1;
	put_file(part, whole.data, whole.ends[2] + 50);
	*byte ^= 1;
	is_resumed(&goes_on, 2 * GAP);
}

static void nothing_in_it_yet(void **state)
{
	struct image_head head = offer();

	(void)state;
	is_refused(&resume, &head, "nothing is there to resume");
	for (int i = 0; i < 3; i++) {
		const size_t lengths[] = {0, 60, whole.ends[0] - 1};

		unlink(image);
		put_file(part, whole.data, lengths[i]);
		is_refused(&resume, &head, "too little");
		is_begun(i ? &goes_on : &plain);
	}
}

static void begun_anew(void **state)
{
	struct image_head head = offer();
	struct stat before, after;

	(void)state;
	put_file(part, whole.data, whole.ends[2]);
	is_refused(&plain, &head, "from an earlier run");
	assert_true(holds(part, whole.data, whole.ends[2]));
	/* Whoever has the old file open gets nothing of the new one. */
	assert_int_equal(stat(part, &before), 0);
	int fd = open(part, O_RDONLY);
	is_begun(&restart);
	assert_int_equal(stat(image, &after), 0);
	assert_true(before.st_ino != after.st_ino);
	assert_int_equal(after.st_mode & 0777, 0600);
	close(fd);
	unlink(image);
	put_file(part, whole.data, whole.ends[2]);
	is_begun(&force);
}

/* As after `tbrecv > image.zst` that was interrupted. */
static void the_image_itself(void **state)
{
	struct image_head head = offer();

	(void)state;
	put_file(image, whole.data, whole.ends[1] + 10);
	is_refused(&goes_on, &head, "is not complete, but --resume");
	put_file(part, whole.data, whole.ends[0]);
	is_refused(&resume, &head, "both there");
	unlink(part);
	head.map.size++;
	is_refused(&resume, &head, "another disk");
	assert_true(holds(image, whole.data, whole.ends[1] + 10));
	assert_false(there(part));
	is_resumed(&resume, 2 * GAP);
	put_file(image, "a letter", 8);
	is_refused(&resume, &head, "no image that could be resumed");
}

static void two_at_once(void **state)
{
	struct image_head head = test_head();
	struct sink *sink = sink_of(&goes_on);

	(void)state;
	assert_int_equal(sink_begin(sink, &head, NULL), 0);
	put_chunks(sink, 0, GAP);
	is_refused(&goes_on, &head, "another tbrecv");
	is_refused(&restart, &head, "another tbrecv");
	is_refused(&force, &head, "another tbrecv");
	finish(sink, GAP);
	assert_true(holds(image, whole.data, whole.len));
}

/* On standard output, a file: how to go on is known, unless something stands before the image. */
static void on_standard_output(void **state)
{
	struct image_head head = test_head();

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct sink *sink;
		int fd = open(image, O_RDWR | O_CREAT | O_TRUNC, 0600);

		if (i)
			assert_int_equal(out_write(fd, "x", 1), 0);
		assert_int_equal(sink_open_image(fd, &goes_on, &sink), 0);
		assert_int_equal(sink_begin(sink, &head, NULL), 0);
		put_chunks(sink, 0, GAP - 1);
		assert_string_equal(sink_note(sink), "");
		put_chunks(sink, GAP - 1, GAP + 2);
		snprintf(why, sizeof(why), "`tbrecv -o %s --resume` goes on", image);
		assert_int_equal(strstr(sink_note(sink), why) == NULL, i);
		sink_close(sink);
		close(fd);
		if (!i)
			is_resumed(&resume, GAP);
	}
}

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/sink_image_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(image, sizeof(image), "%s/image.zst", folder);
	snprintf(part, sizeof(part), "%s.part", image);
	test_whole(&whole);
	return 0;
}

static int teardown(void **state)
{
	each(state);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(it_goes_on, each),
		cmocka_unit_test_setup(at_its_end, each),
		cmocka_unit_test_setup(another_disk, each),
		cmocka_unit_test_setup(what_is_not_ours, each),
		cmocka_unit_test_setup(what_is_damaged, each),
		cmocka_unit_test_setup(nothing_in_it_yet, each),
		cmocka_unit_test_setup(begun_anew, each),
		cmocka_unit_test_setup(the_image_itself, each),
		cmocka_unit_test_setup(two_at_once, each),
		cmocka_unit_test_setup(on_standard_output, each),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
