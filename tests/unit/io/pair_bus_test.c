// SPDX-License-Identifier: GPL-2.0-or-later
/* Pairing from the first look to the open device, over a bus that is files in a folder. */
#include "pair_bus.h"

#include <signal.h>
#include <sys/wait.h>

#include "io/pair_config.h"
#include "io/pair_internal.h"
#include "io/stream.h"

static char why[800];

static int paired(const char *name, const char *peer, struct pair **ret)
{
	struct pair_options options = {.deadline = stop_now()};

	why[0] = '\0';
	snprintf(options.peer, sizeof(options.peer), "%s", peer);
	return pair_open(name, &options, ret, why, sizeof(why));
}

/* Pairing ends with ERR, and says SENTENCE. */
static void refused(const char *peer, int err, const char *sentence)
{
	struct pair *pair;

	assert_int_equal(paired("backup", peer, &pair), err);
	if (!strstr(why, sentence))
		print_error("\"%s\" is not in \"%s\"\n", sentence, why);
	assert_non_null(strstr(why, sentence));
}

static void gone(const char *stream)
{
	assert_int_equal(bus_number(stream, "index"), -1);
}

static void nothing_to_pair_with(void **state)
{
	(void)state;
	bus_new(NULL);
	refused("", -ENODEV, "no Thunderbolt/USB4 host controller here");
	bus_device("0-1", "thunderbolt_xdomain", HIGH);
	refused("", -ENODEV, "no Thunderbolt/USB4 host controller here");
	bus_device("domain0", "thunderbolt_domain", NULL);
	refused("", -ENXIO, "no driver for USB4STREAM here");
	fake_folder(BUS_DRIVER);
	refused("", -ENXIO, "no thunderbolt/stream in configfs: mount it");
	fake_end();
}

static void nobody_there(void **state)
{
	(void)state;
	bus_new(MID);
	refused("", -ETIMEDOUT,
		"timed out waiting for a machine at the other end of a Thunderbolt/USB4 cable");
	refused(HIGH, -ETIMEDOUT, "waiting for the machine " HIGH " at the other end");
	bus_peer("0-1", HIGH, "laptop\n", 0);
	refused("", -ETIMEDOUT, "waiting for laptop (0-1) to offer streams");
	/* A cable between two ports of one machine is no peer. */
	bus_peer("0-3", MID, "ourselves\n", 1);
	refused("", -ETIMEDOUT, "waiting for laptop (0-1) to offer streams");
	fake_end();
}

static void several_peers(void **state)
{
	struct pair *pair;

	(void)state;
	bus_new(MID);
	bus_peer("0-1", HIGH, "laptop\n", 1);
	bus_peer("0-3", LOW, "keeper\x1b[2J\n", 2);
	refused("", -ENOTUNIQ, "choose one with --peer: " HIGH " laptop, " LOW " keeper?[2J");
	bus_announced = 12;
	assert_int_equal(paired("backup", LOW, &pair), 0);
	assert_string_equal(pair_peer(pair)->uuid, LOW);
	assert_string_equal(pair_peer(pair)->host, MID);
	assert_string_equal(pair_peer(pair)->service, "0-3.2");
	assert_string_equal(pair_peer(pair)->vendor, "Linux");
	assert_string_equal(pair_peer(pair)->speed, "20.0 Gb/s");
	assert_int_equal(pair_peer(pair)->lanes, 2);
	pair_describe("backup", pair_peer(pair), why, sizeof(why));
	assert_string_equal(why, "backup (peer keeper?[2J, " LOW ", route 0-3)");
	pair_close(pair);
	fake_end();
}

/* The side with the lower UUID chooses the HopIDs, and takes away at the end what it made. */
static void leads(void **state)
{
	struct pair *pair;

	(void)state;
	bus_new(MID);
	bus_peer("0-1", HIGH, "laptop\n", 1);
	assert_int_equal(paired("backup", "", &pair), 0);
	assert_true(pair_fd(pair) >= 0);
	assert_int_equal(bus_number("0-1.1/backup", "in_hopid"), 15);
	assert_int_equal(bus_number("0-1.1/backup", "out_hopid"), 15);
	assert_int_equal(pair_renew(pair, stop_now(), why, sizeof(why)), -EALREADY);
	/* The peer has announced something else since: all of it once more. */
	pair->changed = stop_now() - 2 * PAIR_SETTLE;
	assert_int_equal(pair_renew(pair, stop_now(), why, sizeof(why)), 0);
	assert_int_equal(pair->settle, 2 * PAIR_SETTLE);
	assert_int_equal(pair->changed, 0);
	/* Another stream answered: the leader stays where it is. */
	assert_int_equal(pair_refuse(pair, stop_now(), why, sizeof(why)), 0);
	assert_int_equal(bus_number("0-1.1/backup", "in_hopid"), 15);
	pair_hang_up(pair);
	assert_int_equal(pair_fd(pair), -1);
	assert_int_equal(pair_reopen(pair, stop_now(), why, sizeof(why)), 0);
	assert_true(pair_fd(pair) >= 0);
	pair_close(pair);
	gone("0-1.1/backup");
	assert_int_equal(bus_number("0-1.1", "."), -1);
	fake_end();
}

static void follows(void **state)
{
	struct pair *pair;

	(void)state;
	bus_new(MID);
	bus_peer("0-1", LOW, "keeper\n", 1);
	refused("", -ETIMEDOUT,
		"waiting for keeper (0-1) to announce the stream backup (start tbsend or tbrecv there)");
	gone("0-1.1/backup");
	bus_announced = 12;
	assert_int_equal(paired("backup", "", &pair), 0);
	assert_int_equal(bus_number("0-1.1/backup", "in_hopid"), 12);
	/* Who answers is another stream: not on that HopID, and as nobody announces it leads now.
	 */
	bus_announced = 0;
	assert_int_equal(pair_refuse(pair, stop_now(), why, sizeof(why)), 0);
	assert_int_equal(pair->avoid, 1u << 12);
	assert_int_equal(bus_number("0-1.1/backup", "in_hopid"), 11);
	pair_close(pair);
	gone("0-1.1/backup");
	fake_end();
}

static void configured_by_hand(void **state)
{
	struct pair *pair;
	int config = -1;

	(void)state;
	bus_new(MID);
	bus_peer("0-1", LOW, "keeper\n", 1);
	config = pair_config_open();
	assert_true(config >= 0);
	assert_int_equal(pair_config_add(config, "0-1.1", "backup"), 0);
	fake_put(BUS_CONFIG "/0-1.1/backup", "in_hopid", "9\n");
	fake_put(BUS_CONFIG "/0-1.1/backup", "out_hopid", "10\n");
	fake_put(BUS_CONFIG "/0-1.1/backup", "busy_poll", "1\n");
	/* What has HopIDs is taken as it is, but for busy_poll, and stays. */
	assert_int_equal(paired("backup", "", &pair), 0);
	assert_int_equal(bus_number("0-1.1/backup", "busy_poll"), 0);
	assert_int_equal(pair_renew(pair, stop_now(), why, sizeof(why)), -EALREADY);
	pair_close(pair);
	assert_int_equal(bus_number("0-1.1/backup", "in_hopid"), 9);
	assert_int_equal(bus_number("0-1.1/backup", "out_hopid"), 10);
	/* They may be old: the side that yields does not wait for ever. */
	assert_int_equal(paired("backup", "", &pair), 0);
	pair->opened -= 2 * PAIR_GRACE;
	bus_announced = 14;
	assert_int_equal(pair_renew(pair, stop_now(), why, sizeof(why)), 0);
	assert_int_equal(bus_number("0-1.1/backup", "in_hopid"), 14);
	pair_close(pair);
	/* And now it was lent: without HopIDs, as it was found, but with its own ring. */
	fake_put(BUS_CONFIG "/0-1.1/backup", "ring_size", "1024\n");
	assert_int_equal(bus_number("0-1.1/backup", "in_hopid"), 0);
	assert_int_equal(paired("backup", "", &pair), 0);
	assert_int_equal(bus_number("0-1.1/backup", "ring_size"), 1024);
	pair_close(pair);
	assert_int_equal(bus_number("0-1.1/backup", "out_hopid"), 0);
	assert_int_equal(bus_number("0-1.1/backup", "ring_size"), 1024);
	close(config);
	/* Somebody else has it, in another namespace perhaps. */
	bus_held = true;
	refused("", -EBUSY, "the stream backup is in use by another process: end it first");
	fake_end();
}

/* A child of this test that has the device open, until it is killed. */
static pid_t holder(void)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		if (open("/dev/tbstream0", O_RDWR) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static void the_device(void **state)
{
	struct pair_local *locals;
	struct pair *pair;
	char said[64];
	size_t count;

	(void)state;
	bus_new(MID);
	bus_peer("0-1", HIGH, "laptop\n", 1);
	pid_t child = holder();
	snprintf(said, sizeof(said), "(%d): end it first, or choose another name", (int)child);
	refused("", -EBUSY, said);
	gone("0-1.1/backup");
	fake_folder(BUS_CONFIG "/0-1.1/by-hand");
	for (size_t i = 0; i < 6; i++)
		fake_put(BUS_CONFIG "/0-1.1/by-hand", bus_attributes[i], "0\n");
	assert_int_equal(pair_list(&locals, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(locals[0].name, "by-hand");
	assert_string_equal(locals[0].service, "0-1.1");
	snprintf(said, sizeof(said), "(%d)", (int)child);
	assert_non_null(strstr(locals[0].user, said));
	free(locals);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);

	bus_open_errno = ENXIO;
	refused("", -ETIMEDOUT, "timed out waiting for the cable to laptop (0-1)");
	bus_open_errno = EIO;
	refused("", -EIO, "cannot open /dev/tbstream0, the stream backup to laptop (0-1)");
	bus_open_errno = ENOMEM;
	refused("", -ETIMEDOUT, "waiting for other streams of this machine to leave room");
	gone("0-1.1/backup");

	/* Their end is no event: it is looked at again soon. */
	struct pair_options options = {.deadline = stop_deadline(4 * STOP_SECOND)};
	bus_open_errno = ENOMEM;
	bus_open_times = 1;
	assert_int_equal(pair_open("backup", &options, &pair, why, sizeof(why)), 0);
	pair_close(pair);
	fake_end();
}

static void told(void *arg, const char *sentence)
{
	snprintf(arg, 200, "%s", sentence);
	raise(SIGTERM);
}

/* The signal stays pending for ever, so this is a process of its own. */
static void stopped(void **state)
{
	(void)state;
	bus_new(MID);
	pid_t child = fork();
	if (child == 0) {
		char what[200] = "";
		struct pair_options options = {.deadline = STOP_NEVER,
					       .waiting = {.tell = told, .arg = what}};
		struct pair *pair;

		if (stop_install() ||
		    pair_open("backup", &options, &pair, why, sizeof(why)) != -EINTR)
			_exit(1);
		_exit(strncmp(what, "waiting for a machine", 21) || strncmp(why, "stopped", 7));
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	fake_end();
}

/* A stream by its device, whose cable is not there yet. */
static int device_opened(int64_t deadline, struct stream **ret)
{
	struct stream_address address = {.kind = STREAM_DEVICE, .path = "/dev/tbstream0"};
	struct stream_options options = {.deadline = deadline};

	return stream_open(&address, &options, ret, why, sizeof(why));
}

static void by_its_device(void **state)
{
	struct stream *stream;
	int status;

	(void)state;
	bus_new(MID);
	bus_open_errno = ENXIO;
	assert_int_equal(device_opened(stop_now(), &stream), -ETIMEDOUT);
	assert_string_equal(why, "timed out waiting for the cable of /dev/tbstream0");
	bus_open_times = 1;
	assert_int_equal(device_opened(stop_deadline(20 * STOP_SECOND), &stream), 0);
	stream_close(stream);
	bus_open_errno = ENXIO;
	pid_t child = fork();
	if (child == 0) {
		if (stop_install() || raise(SIGTERM) ||
		    device_opened(STOP_NEVER, &stream) != -EINTR)
			_exit(1);
		_exit(strncmp(why, "stopped by a signal", 19));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	fake_end();
}

static void looked_at(void **state)
{
	struct pair_state look;

	(void)state;
	bus_new(NULL);
	assert_int_equal(pair_look(&look), 0);
	assert_false(look.controller || look.configfs || look.driver[0] || look.peers_count);
	pair_state_clear(&look);
	fake_end();
	bus_new(MID);
	bus_peer("0-1", HIGH, "laptop\n", 1);
	assert_int_equal(pair_look(&look), 0);
	assert_true(look.controller && look.configfs);
	assert_string_equal(look.driver, "tbstream");
	assert_int_equal(look.peers_count, 1);
	assert_string_equal(look.peers[0].name, "laptop");

	assert_int_equal(pair_announced(&look.peers[0], "backup"), 0);
	bus_announced = 9;
	assert_int_equal(pair_announced(&look.peers[0], "backup"), 1);
	gone("0-1.1/backup");
	fake_folder(BUS_CONFIG "/0-1.1/backup");
	assert_int_equal(pair_announced(&look.peers[0], "backup"), -EEXIST);
	look.peers[0].service[0] = '\0';
	assert_int_equal(pair_announced(&look.peers[0], "backup"), 0);
	pair_state_clear(&look);
	assert_int_equal(look.peers_count, 0);
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_pair_with),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(several_peers),
		cmocka_unit_test(leads),
		cmocka_unit_test(follows),
		cmocka_unit_test(configured_by_hand),
		cmocka_unit_test(the_device),
		cmocka_unit_test(stopped),
		cmocka_unit_test(by_its_device),
		cmocka_unit_test(looked_at),
	};

	return cmocka_run_group_tests_name("pair_bus", tests, NULL, NULL);
}
