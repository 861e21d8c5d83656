// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/pack.h"
#include "io/machine.h"
#include "io/rescue.h"
#include "io/stop.h"
#include "options_value.h"
#include "shell/keys.h"
#include "ui/msg.h"

#define OPTIONS_BOTH (OPTIONS_SEND | OPTIONS_RECV)
#define OPTIONS_IMAGES \
	(OPTIONS_VERIFY | OPTIONS_INFO | OPTIONS_LS | OPTIONS_CP | OPTIONS_MOUNT | OPTIONS_UMOUNT)
#define OPTIONS_ALL	       (OPTIONS_BOTH | OPTIONS_STATUS | OPTIONS_DISKS | OPTIONS_IMAGES | OPTIONS_SHELL)
#define OPTIONS_COLUMN	       24 /* where an option's explanation begins */
#define OPTIONS_WIDTH	       78
#define OPTIONS_PARTITION_MOST 8192
#define OPTIONS_TIMEOUT_MOST   31536000 /* seconds: a year */

/* Long options without a letter. */
enum {
	OPT_PLAIN = 256,
	OPT_RAW,
	OPT_FORCE,
	OPT_RESUME,
	OPT_RESTART,
	OPT_CONFIRM,
	OPT_FIT,
	OPT_ASK_FIT,
	OPT_PARTITION,
	OPT_VERIFY,
	OPT_RECHECK,
	OPT_DISCARD,
	OPT_PROGRESS,
	OPT_JSON,
	OPT_INSECURE,
	OPT_TSV,
	OPT_RESCUE,
	OPT_USED,
	OPT_DRY_RUN,
	OPT_RETRIES,
	OPT_MAPFILE,
	OPT_MEMORY,
	OPT_SERVE,
};

static const struct options_entry {
	const char *name;
	int value; /* the letter, or OPT_* */
	const char *argument;
	unsigned int programs;
	const char *help;
} options_table[] = {
	{"stream", 's', "WHERE", OPTIONS_SHELL,
	 "NAME to pair over the cable (default: shell), /dev/tbstreamX, unix:PATH, or tcp:HOST:PORT"},
	{"serve", OPT_SERVE, NULL, OPTIONS_SHELL,
	 "offer a shell to the other machine, and again when that has ended; whoever is there gets "
	 "it"},
	{"stream", 's', "WHERE", OPTIONS_BOTH | OPTIONS_STATUS,
	 "NAME to pair over the cable (default: backup), /dev/tbstreamX, unix:PATH, tcp:HOST:PORT, "
	 "or - for standard input and output"},
	{"peer", 'p', "UUID", OPTIONS_BOTH | OPTIONS_STATUS | OPTIONS_SHELL,
	 "the other machine, where several are connected (tbstream status lists them)"},
	{"timeout", 't', "SECONDS", OPTIONS_BOTH | OPTIONS_SHELL,
	 "give up when the other side has not come by then (default: wait for ever)"},
	{"output", 'o', "IMAGE", OPTIONS_RECV,
	 "write the image to this file; it appears under its name when it is whole. DIR/ takes an "
	 "image of every disk that is sent, and an index"},
	{"decompress", 'd', NULL, OPTIONS_RECV,
	 "write the disk's own bytes to standard output, not the image"},
	{"level", 'l', "N", OPTIONS_SEND,
	 "how hard to compress: 1 (fast) to 19 (small), none, or auto (default): harder where the "
	 "cable or the target is slower than that, at most 9"},
	{"threads", 'T', "N", OPTIONS_BOTH | OPTIONS_VERIFY,
	 "so many at once, 1 to 64 (default: one for every processor, at most 8)"},
	{"memory", OPT_MEMORY, "SIZE", OPTIONS_BOTH,
	 "take no more memory than this, such as 64M (default: what is quickest; on a machine of "
	 "less than 256 MiB a quarter of that)"},
	{"partition", OPT_PARTITION, "N", OPTIONS_SEND,
	 "send only this partition of the disk that an image holds"},
	{"partition", OPT_PARTITION, "N", OPTIONS_MOUNT,
	 "the partition to mount, where the image has several (tbstream info lists them)"},
	{"recheck", OPT_RECHECK, NULL, OPTIONS_SEND,
	 "when a transfer goes on, read everything again that the receiver has, not only samples"},
	{"rescue", OPT_RESCUE, NULL, OPTIONS_SEND,
	 "go on where the disk cannot be read, the good parts first, and list what is missing"},
	{"retries", OPT_RETRIES, "N", OPTIONS_SEND,
	 "with --rescue: read every bad sector N times more, 0 to 100 (default: 1)"},
	{"mapfile", OPT_MAPFILE, "FILE", OPTIONS_SEND,
	 "with --rescue: what could be read is kept in FILE, which GNU ddrescue reads and writes too"},
	{"used", OPT_USED, NULL, OPTIONS_SEND,
	 "leave out what no file system on the disk uses: quicker and smaller, but without deleted "
	 "files"},
	{"dry-run", OPT_DRY_RUN, NULL, OPTIONS_SEND,
	 "only say what would be sent, and with --used what would be left out"},
	{"plain", OPT_PLAIN, NULL, OPTIONS_BOTH,
	 "no records, just the image's bytes, for a peer that is only dd or cat; nothing confirms "
	 "them"},
	{"raw", OPT_RAW, NULL, OPTIONS_BOTH,
	 "as --plain, but the source's bytes as they are, not an image"},
	{"long", 'l', NULL, OPTIONS_LS, "show permissions, owner, size and time too"},
	{"recursive", 'R', NULL, OPTIONS_LS, "list the folders in it too"},
	{"recursive", 'r', NULL, OPTIONS_CP, "copy a folder with all that is in it"},
	{"force", OPT_FORCE, NULL, OPTIONS_CP, "replace files that exist"},
	{"force", OPT_FORCE, NULL, OPTIONS_RECV,
	 "overwrite the target, or the output that exists, without a question"},
	{"resume", OPT_RESUME, NULL, OPTIONS_RECV,
	 "go on with what an earlier run began, or fail; without, go on where there is something"},
	{"restart", OPT_RESTART, NULL, OPTIONS_RECV, "begin anew where an earlier run began"},
	{"recheck", OPT_RECHECK, NULL, OPTIONS_RECV,
	 "when it goes on, read everything again that is there, not only samples"},
	{"confirm", OPT_CONFIRM, "SERIAL", OPTIONS_RECV,
	 "overwrite the target if its serial number, and no other disk's, ends so (4 characters or "
	 "more)"},
	{"fit", OPT_FIT, NULL, OPTIONS_RECV,
	 "have the partition table fit a larger target, or a smaller one where all partitions do"},
	{"ask-fit", OPT_ASK_FIT, NULL, OPTIONS_RECV,
	 "ask whether to --fit, where the target is of another size"},
	{"verify", OPT_VERIFY, NULL, OPTIONS_RECV,
	 "read the target back at the end and compare it with what came"},
	{"discard", OPT_DISCARD, NULL, OPTIONS_RECV,
	 "discard what is zeros on the target instead of writing it, where the device reads it as "
	 "zeros then"},
	{"insecure", OPT_INSECURE, NULL, OPTIONS_BOTH | OPTIONS_SHELL,
	 "let tcp: listen on a wildcard address; nothing is encrypted or authenticated"},
	{"progress", OPT_PROGRESS, "HOW", OPTIONS_BOTH | OPTIONS_VERIFY,
	 "auto (default: on a terminal), human, json (a line a second on standard error) or none"},
	{"json", OPT_JSON, NULL, OPTIONS_ALL, "messages and results as JSON"},
	{"tsv", OPT_TSV, NULL, OPTIONS_DISKS,
	 "a line a disk, fields separated by tabs: path, model, bytes, serial, transport, contents, "
	 "flags"},
	{"quiet", 'q', NULL, OPTIONS_BOTH | OPTIONS_VERIFY | OPTIONS_CP | OPTIONS_SHELL,
	 "errors only"},
	{"verbose", 'v', NULL, OPTIONS_ALL, "say more"},
	{"help", 'h', NULL, OPTIONS_ALL, "show this"},
	{"version", 'V', NULL, OPTIONS_ALL, "show the version"},
};

#define OPTIONS_COUNT (sizeof(options_table) / sizeof(options_table[0]))

static const struct options_usage {
	enum options_program program;
	const char *usage, *examples;
} options_usages[] = {
	{OPTIONS_SEND,
	 "Usage: tbsend [OPTIONS] SOURCE...\n"
	 "Sends a disk, a file or an image (as the disk that it holds), or several, to\n"
	 "tbrecv at the other end of the cable; or standard input, where SOURCE is -.\n",
	 "  tbsend /dev/nvme0n1       the disk, to `tbrecv -o laptop.zst`\n"
	 "  tbsend /dev/sda /dev/sdb  both, to `tbrecv -o laptop/`\n"
	 "  tbsend laptop.zst         the disk that it holds, to `tbrecv /dev/nvme0n1`\n"
	 "  tbsend --plain /dev/sda > image.zst\n"
	 "  tar c /home | tbsend -    to `tbrecv -d | tar x`, or into an image\n"},
	{OPTIONS_RECV,
	 "Usage: tbrecv [OPTIONS] > IMAGE\n"
	 "       tbrecv [OPTIONS] -o IMAGE|DIR/\n"
	 "       tbrecv [OPTIONS] TARGET\n"
	 "Receives what tbsend sends: as an image, or restored onto a disk or an existing\n"
	 "file.\n",
	 "  tbrecv -o laptop.zst      the image of what `tbsend /dev/nvme0n1` sends\n"
	 "  tbrecv -o laptop/         an image of each disk of `tbsend /dev/sda /dev/sdb`\n"
	 "  tbrecv /dev/nvme0n1       restores what `tbsend laptop.zst` sends\n"
	 "  tbrecv --plain -s - /dev/sda < image.zst\n"},
	{OPTIONS_STATUS,
	 "Usage: tbstream status [OPTIONS] [NAME]\n"
	 "Shows hosts, peers, links and streams, or which part is missing; for a NAME,\n"
	 "whether a peer announces it.\n",
	 "  tbstream status backup\n"},
	{OPTIONS_DISKS,
	 "Usage: tbstream disks [OPTIONS]\n"
	 "Lists this machine's disks: model, size, serial number and what is on them.\n",
	 "  tbstream disks\n"},
	{OPTIONS_VERIFY,
	 "Usage: tbstream verify [OPTIONS] IMAGE...\n"
	 "Says whether images are whole, to the last byte; - is standard input.\n",
	 "  tbstream verify laptop.zst\n"
	 "  ssh keeper cat laptop.zst | tbstream verify -\n"},
	{OPTIONS_INFO,
	 "Usage: tbstream info [OPTIONS] IMAGE\n"
	 "Shows what an image holds: disk, host, times, sizes, partitions. Reads only its\n"
	 "end.\n",
	 "  tbstream info laptop.zst\n"},
	{OPTIONS_LS,
	 "Usage: tbstream ls [OPTIONS] IMAGE[:PART[:/path]]\n"
	 "Lists the partitions of an image, or the files in one; PART is its number, or\n"
	 "disk for a file system without a partition table. Reads ext2 to ext4 and FAT.\n",
	 "  tbstream ls laptop.zst            its partitions\n"
	 "  tbstream ls -l laptop.zst:2:/etc  a folder\n"},
	{OPTIONS_CP,
	 "Usage: tbstream cp [OPTIONS] IMAGE:PART:/path DEST\n"
	 "Copies a file out of an image: into a folder, to a new name, or to - for standard\n"
	 "output. Reads only what it needs.\n",
	 "  tbstream cp laptop.zst:2:/etc/fstab .\n"
	 "  tbstream cp -r laptop.zst:2:/home/eva rescued\n"
	 "  tbstream cp laptop.zst:2:/home/eva/thesis.odt - | file -\n"},
	{OPTIONS_MOUNT,
	 "Usage: tbstream mount [OPTIONS] IMAGE DIR\n"
	 "Mounts a file system of an image at DIR, read-only, without restoring anything.\n",
	 "  tbstream mount --partition=2 laptop.zst /mnt\n"},
	{OPTIONS_UMOUNT,
	 "Usage: tbstream umount [OPTIONS] DIR\n"
	 "Undoes `tbstream mount`.\n",
	 "  tbstream umount /mnt\n"},
	{OPTIONS_SHELL,
	 "Usage: tbstream shell [OPTIONS]\n"
	 "       tbstream shell --serve [OPTIONS] [-- PROGRAM [ARGUMENT...]]\n"
	 "Attaches to the shell that a machine at the other end of the cable offers, as\n"
	 "the rescue image does with rd.tbstream.shell.\n",
	 "  tbstream shell                  at the terminal; " KEYS_DETACH " leaves it\n"
	 "  echo 'uname -a' | tbstream shell\n"},
};

/* Prints TEXT behind what stands left of OPTIONS_COLUMN, in lines of at most OPTIONS_WIDTH
 * characters. */
static void options_help_text(const char *text)
{
	int column = OPTIONS_COLUMN;

	while (*text) {
		int word = strcspn(text, " ");

		if (column + 1 + word > OPTIONS_WIDTH && column > OPTIONS_COLUMN) {
			printf("\n%*s", OPTIONS_COLUMN, "");
			column = OPTIONS_COLUMN;
		}
		printf(" %.*s", word, text);
		column += 1 + word;
		text += word + strspn(text + word, " ");
	}
	putchar('\n');
}

static void options_help(enum options_program program)
{
	for (size_t i = 0; i < sizeof(options_usages) / sizeof(options_usages[0]); i++)
		if (options_usages[i].program == program)
			printf("%s\nExamples:\n%s\nOptions:\n", options_usages[i].usage,
			       options_usages[i].examples);
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		const struct options_entry *entry = &options_table[i];
		char left[64];

		if (!(entry->programs & program))
			continue;
		int n = entry->value < OPT_PLAIN
				? snprintf(left, sizeof(left), "-%c, --%s", entry->value,
					   entry->name)
				: snprintf(left, sizeof(left), "    --%s", entry->name);
		if (entry->argument)
			snprintf(left + n, sizeof(left) - n, "=%s", entry->argument);
		printf("  %-*s", OPTIONS_COLUMN - 2, left);
		options_help_text(entry->help);
	}
	printf("\nExit codes: 0 %s, 1 failed or refused, 2 wrong usage%s.\n",
	       program & OPTIONS_BOTH	  ? "verified and durable"
	       : program & OPTIONS_VERIFY ? "all verified"
	       : program & OPTIONS_CP	  ? "copied and synced"
	       : program & OPTIONS_SHELL  ? "or the shell's own"
					  : "fine",
	       program & OPTIONS_CP	? ", 3 copied but for\nwhat the disk could not read"
	       : program & OPTIONS_BOTH ? ",\n3 complete but for what the disk could not read"
					: "");
}

static int options_stream(struct options *options, const char *text)
{
	char why[256];

	if (stream_parse(text, &options->stream, why, sizeof(why)) < 0) {
		msg_error("%s", why);
		return OPTIONS_USAGE;
	}
	options->stream_given = true;
	return OPTIONS_OK;
}

/* Options that take a value. */
static int options_take(struct options *options, int value, const char *text)
{
	long n;

	switch (value) {
	case 's': return options_stream(options, text);
	case 'p':
		if (options_value_uuid(text, options->peer) == 0)
			return OPTIONS_OK;
		msg_error("--peer wants a UUID as `tbstream status` shows it, not '%s'", text);
		return OPTIONS_USAGE;
	case 't':
		if (options_value_number(text, 0, OPTIONS_TIMEOUT_MOST, &n) == 0) {
			options->timeout = n * STOP_SECOND;
			return OPTIONS_OK;
		}
		msg_error("--timeout wants a number of seconds, not '%s'", text);
		return OPTIONS_USAGE;
	case 'l':
		if (options_value_level(text, &options->level) == 0)
			return OPTIONS_OK;
		msg_error("--level wants auto, none, or a number from %d to %d, not '%s'",
			  PACK_LEVEL_LEAST, PACK_LEVEL_MOST, text);
		return OPTIONS_USAGE;
	case 'T':
		if (options_value_number(text, 1, MACHINE_THREADS_MOST, &n) == 0) {
			options->threads = n;
			return OPTIONS_OK;
		}
		msg_error("--threads wants a number from 1 to %d, not '%s'", MACHINE_THREADS_MOST,
			  text);
		return OPTIONS_USAGE;
	case OPT_MEMORY:
		if (options_value_size(text, &options->memory) == 0)
			return OPTIONS_OK;
		msg_error("--memory wants a size, such as 64M or 1G, not '%s'", text);
		return OPTIONS_USAGE;
	case OPT_PARTITION:
		if (options_value_number(text, 1, OPTIONS_PARTITION_MOST, &n) == 0) {
			options->partition = n;
			return OPTIONS_OK;
		}
		msg_error("--partition wants a partition's number, not '%s'", text);
		return OPTIONS_USAGE;
	case OPT_RETRIES:
		if (options_value_number(text, 0, RESCUE_RETRIES_MOST, &n) == 0) {
			options->retries = n;
			return OPTIONS_OK;
		}
		msg_error("--retries wants a number from 0 to %d, not '%s'", RESCUE_RETRIES_MOST,
			  text);
		return OPTIONS_USAGE;
	case OPT_PROGRESS:
		if (progress_parse(text, &options->progress) == 0)
			return OPTIONS_OK;
		msg_error("--progress is auto, human, json or none, not '%s'", text);
		return OPTIONS_USAGE;
	case 'o': options->output = text; return OPTIONS_OK;
	case OPT_MAPFILE: options->mapfile = text; return OPTIONS_OK;
	default: options->confirm = text; return OPTIONS_OK;
	}
}

/* Options that are given or not. */
static void options_set(struct options *options, int value)
{
	switch (value) {
	case 'd': options->decompress = true; break;
	case 'q': options->quiet = true; break;
	case 'v': options->verbose = true; break;
	case 'l': options->details = true; break;
	case 'r':
	case 'R': options->recursive = true; break;
	case OPT_PLAIN: options->plain = true; break;
	case OPT_RAW: options->plain = options->raw = true; break;
	case OPT_FORCE: options->force = true; break;
	case OPT_RESUME: options->resume = true; break;
	case OPT_RESTART: options->restart = true; break;
	case OPT_FIT: options->fit = true; break;
	case OPT_ASK_FIT: options->ask_fit = true; break;
	case OPT_VERIFY: options->verify = true; break;
	case OPT_RECHECK: options->recheck = true; break;
	case OPT_DISCARD: options->discard = true; break;
	case OPT_RESCUE: options->rescue = true; break;
	case OPT_USED: options->used = true; break;
	case OPT_DRY_RUN: options->dry_run = true; break;
	case OPT_INSECURE: options->insecure = true; break;
	case OPT_JSON: options->json = true; break;
	case OPT_TSV: options->tsv = true; break;
	case OPT_SERVE: options->serve = true; break;
	}
}

static bool options_takes_value(enum options_program program, int value)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++)
		if (options_table[i].value == value && options_table[i].programs & program)
			return options_table[i].argument;
	return false;
}

/* The table as getopt_long wants it. */
static void options_getopt(enum options_program program, struct option *longs, char *shorts)
{
	*shorts++ = ':';
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		const struct options_entry *entry = &options_table[i];

		if (!(entry->programs & program))
			continue;
		*longs++ =
			(struct option){entry->name, entry->argument != NULL, NULL, entry->value};
		if (entry->value >= OPT_PLAIN)
			continue;
		*shorts++ = entry->value;
		if (entry->argument)
			*shorts++ = ':';
	}
	*shorts = '\0';
	*longs = (struct option){0};
}

int options_parse(enum options_program program, int argc, char **argv, struct options *ret)
{
	struct option longs[OPTIONS_COUNT + 1];
	char shorts[2 * OPTIONS_COUNT + 2];
	struct options options = {
		.stream = {.kind = STREAM_PAIRED, .name = "backup"},
		.timeout = STOP_NEVER,
		.level = PACK_LEVEL_AUTO,
		.retries = -1,
	};
	int value;

	options_getopt(program, longs, shorts);
	opterr = 0;
	optind = 1;
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (value == 'h') {
			options_help(program);
			return OPTIONS_DONE;
		}
		if (value == 'V') {
			printf("tbstream %s\n", TBSTREAM_VERSION);
			return OPTIONS_DONE;
		}
		if (value == '?' || value == ':') {
			msg_error("%s %s; see --help", argv[optind - 1],
				  value == ':' ? "wants a value" : "is no option here");
			return OPTIONS_USAGE;
		}
		if (!options_takes_value(program, value))
			options_set(&options, value);
		else if (options_take(&options, value, optarg) != OPTIONS_OK)
			return OPTIONS_USAGE;
	}
	options.arguments = argv + optind;
	options.count = argc - optind;
	*ret = options;
	return OPTIONS_OK;
}
