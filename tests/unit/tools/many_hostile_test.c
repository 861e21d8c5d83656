// SPDX-License-Identifier: GPL-2.0-or-later
/* Several disks in one transfer, from a sender that does not keep to what it announced. */
#include "../io/link_test.h"

#include <dirent.h>
#include <sys/stat.h>

#include "sink/folder.h"
#include "recv/recv.h"

#define SIZE 4096u
#define ID   "01000000000000000000000000000000"
#define SET  "{\"host\":{\"name\":\"h\"},\"set\":{\"id\":\"" ID "\",\"index\":%d,\"count\":%d}}"

struct many {
	char work[32], folder[48];
	struct link_test_end sender, receiver;
	struct sink *sink;
	struct folder *target;
	struct recv_options options;
	struct recv_result result;
	int r;
	char why[768];
	pthread_t thread;
};

static void many_open(struct many *many)
{
	memset(many, 0, sizeof(*many));
	strcpy(many->work, "/tmp/many-test-XXXXXX");
	assert_non_null(mkdtemp(many->work));
	snprintf(many->folder, sizeof(many->folder), "%s/in", many->work);
	many->options = (struct recv_options){.progress = PROGRESS_NONE, .folder = true};
	assert_int_equal(
		folder_open(many->folder, false, &many->target, many->why, sizeof(many->why)), 0);
	link_test_pair(&many->sender, &many->receiver);
}

/* Files in the folder, which are removed with it; -1 where it was not made. */
static int many_close(struct many *many)
{
	DIR *dir = opendir(many->folder);
	struct dirent *entry;
	char path[400];
	int count = dir ? 0 : -1;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", many->folder, entry->d_name);
		unlink(path);
		count++;
	}
	if (dir)
		closedir(dir);
	rmdir(many->folder);
	assert_int_equal(rmdir(many->work), 0);
	link_close(many->sender.link);
	link_close(many->receiver.link);
	folder_close(many->target);
	free(many->result.next);
	return count;
}

static void *many_receive(void *arg)
{
	struct many *many = arg;
	struct recv_result before = many->result;
	struct sink_options options = {.from = -1};

	assert_int_equal(sink_open_folder(many->target, &options, &many->sink), 0);
	many->r = recv_records(many->receiver.link, many->sink, &many->options,
			       before.next ? &before : NULL, &many->result, many->why,
			       sizeof(many->why));
	free(before.next);
	sink_close(many->sink);
	return NULL;
}

static void many_start(struct many *many)
{
	assert_int_equal(pthread_create(&many->thread, NULL, many_receive, many), 0);
}

static void many_join(struct many *many, int r, const char *part)
{
	pthread_join(many->thread, NULL);
	if (many->r != r || !strstr(many->why, part))
		print_error("%d: '%s' lacks '%s'\n", many->r, many->why, part);
	assert_int_equal(many->r, r);
	assert_non_null(strstr(many->why, part));
}

/* OFFER of the disk with this number for its transfer id. */
static void many_offer(struct many *many, uint8_t id, const char *manifest)
{
	static const char identity[] = "{\"path\":\"/dev/x\"}";
	struct wire_offer offer = {
		.head = {.transfer_id = {id},
			 .map = {.size = SIZE, .chunk_size = SIZE},
			 .created = 1767225600,
			 .identity = identity,
			 .identity_len = strlen(identity)},
		.manifest = manifest,
		.manifest_len = strlen(manifest),
	};
	struct link_record *record = link_record_new(WIRE_TYPE_OFFER, 1024);
	int r = wire_offer_put(&offer, record->payload, 1024);

	assert_true(r > 0);
	record->length = r;
	assert_int_equal(link_put(many->sender.link, record), 0);
}

static void many_offer_set(struct many *many, uint8_t id, int index, int count)
{
	char manifest[200];

	snprintf(manifest, sizeof(manifest), SET, index, count);
	many_offer(many, id, manifest);
}

static void many_expect(struct many *many, uint8_t type, struct link_record **ret)
{
	assert_int_equal(link_get(many->sender.link, stop_deadline(LONG_WAIT), ret), 0);
	assert_int_equal((*ret)->type, type);
}

/* The disk that was offered: nothing but zeros. Waits for its RESULT. */
static void many_send(struct many *many)
{
	static const uint8_t zeros[SIZE];
	struct wire_zero zero = {.count = 1, .flags = IMAGE_ENTRY_ZERO};
	struct wire_end end = {.chunks = 1, .size = SIZE};
	struct digest_state root;
	struct digest digest;
	struct link_record *record;

	many_expect(many, WIRE_TYPE_ACCEPT, &record);
	free(record);
	record = link_record_new(WIRE_TYPE_ZERO, 64);
	record->length = wire_zero_put(&zero, record->payload, 64);
	assert_int_equal(link_put(many->sender.link, record), 0);
	digest_chunk(zeros, SIZE, &digest);
	digest_start(&root);
	digest_update(&root, digest.bytes, DIGEST_SIZE);
	digest_root(&root, SIZE, SIZE, &end.root);
	record = link_record_new(WIRE_TYPE_END, 64);
	record->length = wire_end_put(&end, record->payload, 64);
	assert_int_equal(link_put(many->sender.link, record), 0);
	many_expect(many, WIRE_TYPE_RESULT, &record);
	free(record);
}

/* The sender is told, in a sentence with PART in it. */
static void many_fate(struct many *many, const char *part)
{
	struct link_record *record;
	char why[800];

	assert_int_equal(link_get(many->sender.link, stop_deadline(LONG_WAIT), &record),
			 -ECANCELED);
	link_why(many->sender.link, why, sizeof(why));
	if (!strstr(why, part))
		print_error("'%s' lacks '%s'\n", why, part);
	assert_non_null(strstr(why, part));
}

static void test_all_of_them(void **state)
{
	struct many many;

	(void)state;
	many_open(&many);
	for (int i = 1; i <= 3; i++) {
		many_start(&many);
		if (i == 1)
			many_offer_set(&many, i, i, 3);
		many_send(&many);
		if (i < 3)
			many_offer_set(&many, i + 1, i + 1, 3);
		else
			assert_int_equal(
				link_put(many.sender.link, link_record_new(WIRE_TYPE_BYE, 0)), 0);
		many_join(&many, 0, "");
		assert_true(many.result.confirmed);
		assert_int_equal(many.result.set.index, i);
		assert_int_equal(many.result.next != NULL, i < 3);
	}
	assert_int_equal(many_close(&many), 4);
}

static void test_first_is_not_the_first(void **state)
{
	static const char *const manifests[][2] = {
		{"{\"set\":{\"id\":\"" ID "\",\"index\":2,\"count\":2}}",
		 "not the one that is due"},
		{"{\"set\":{\"id\":\"" ID "\",\"index\":1,\"count\":2}}", "OFFER is damaged"},
		{"{\"set\":{\"id\":\"" ID "\",\"index\":3,\"count\":2}}", "OFFER is damaged"},
		{"{\"set\":7}", "OFFER is damaged"},
	};
	struct many many;

	(void)state;
	for (size_t i = 0; i < sizeof(manifests) / sizeof(manifests[0]); i++) {
		many_open(&many);
		many_start(&many);
		many_offer(&many, 9, manifests[i][0]);
		many_fate(&many, manifests[i][1]);
		pthread_join(many.thread, NULL);
		assert_true(many.r < 0);
		assert_int_equal(many_close(&many), -1);
	}
}

/* What came first stays: image and index. */
static void test_next_is_not_the_next(void **state)
{
	static const struct {
		int id, index, count;
	} nexts[] = {{1, 1, 3}, {2, 3, 3}, {2, 2, 4}};
	struct many many;

	(void)state;
	for (size_t i = 0; i < sizeof(nexts) / sizeof(nexts[0]); i++) {
		many_open(&many);
		many_start(&many);
		many_offer_set(&many, 1, 1, 3);
		many_send(&many);
		many_offer_set(&many, nexts[i].id, nexts[i].index, nexts[i].count);
		many_join(&many, 0, "");
		many_start(&many);
		many_join(&many, -EPROTO, "not the one that is due");
		many_fate(&many, "not the one that is due");
		assert_int_equal(many_close(&many), 2);
	}
}

static void test_more_than_announced(void **state)
{
	struct many many;

	(void)state;
	many_open(&many);
	many_start(&many);
	many_offer(&many, 1, "{}");
	many_send(&many);
	many_offer(&many, 2, "{}");
	many_join(&many, 0, "");
	assert_true(many.result.confirmed);
	assert_null(many.result.next);
	many_fate(&many, "more disks are offered");
	assert_int_equal(many_close(&many), 2);
}

static void test_fewer_than_announced(void **state)
{
	struct many many;

	(void)state;
	many_open(&many);
	many_start(&many);
	many_offer_set(&many, 1, 1, 2);
	many_send(&many);
	assert_int_equal(link_put(many.sender.link, link_record_new(WIRE_TYPE_BYE, 0)), 0);
	many_join(&many, 0, "");
	assert_null(many.result.next);
	assert_int_equal(many.result.set.count, 2);
	assert_int_equal(many_close(&many), 2);
}

static void test_no_room_for_several(void **state)
{
	struct link_record *record;
	struct wire_accept accept;
	struct many many;

	(void)state;
	many_open(&many);
	many.options.folder = false;
	many_start(&many);
	many_offer_set(&many, 1, 1, 2);
	many_expect(&many, WIRE_TYPE_ACCEPT, &record);
	assert_int_equal(wire_accept_get(record->payload, record->length, &accept), 0);
	assert_true(accept.refused);
	assert_non_null(strstr(accept.sentence, "the sender has 2 disks"));
	free(record);
	many_join(&many, -EINVAL, "tbrecv -o DIR/");
	assert_int_equal(many_close(&many), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_them),
		cmocka_unit_test(test_first_is_not_the_first),
		cmocka_unit_test(test_next_is_not_the_next),
		cmocka_unit_test(test_more_than_announced),
		cmocka_unit_test(test_fewer_than_announced),
		cmocka_unit_test(test_no_room_for_several),
	};

	return stop_install() || cmocka_run_group_tests_name("many_hostile", tests, NULL, NULL);
}
