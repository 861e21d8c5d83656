// SPDX-License-Identifier: GPL-2.0-or-later
/* tbstream: everything but the transfer itself. One table gives dispatch and help. */
#include <stdio.h>
#include <string.h>

#include "programs.h"
#include "ui/msg.h"

static const struct tbstream_command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} tbstream_commands[] = {
	{"status", tbstream_status, "hosts, peers, links and streams, or which part is missing"},
	{"disks", tbstream_disks, "this machine's disks and what is on them"},
	{"verify", tbstream_verify, "whether an image is whole"},
	{"info", tbstream_info, "what an image holds"},
	{"ls", tbstream_ls, "the partitions and the files in an image"},
	{"cp", tbstream_cp, "copies files out of an image"},
	{"mount", tbstream_mount, "look into an image as a folder, read-only"},
	{"umount", tbstream_umount, "undoes mount"},
	{"shell", tbstream_shell, "a shell on the machine at the other end"},
	{"send", tbsend_main, "the same as tbsend"},
	{"recv", tbrecv_main, "the same as tbrecv"},
};

#define TBSTREAM_COMMANDS (sizeof(tbstream_commands) / sizeof(tbstream_commands[0]))

static void tbstream_help(FILE *out)
{
	fprintf(out, "Usage: tbstream COMMAND [OPTIONS]\n"
		     "Images and restores machines over a Thunderbolt/USB4 cable.\n\nCommands:\n");
	for (size_t i = 0; i < TBSTREAM_COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", tbstream_commands[i].name, tbstream_commands[i].help);
	fprintf(out, "\n`tbstream COMMAND --help` tells more.\n");
}

int tbstream_main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	msg_setup("tbstream", MSG_NORMAL, false);
	for (size_t i = 0; i < TBSTREAM_COMMANDS; i++)
		if (!strcmp(tbstream_commands[i].name, name))
			return tbstream_commands[i].run(argc - 1, argv + 1);
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		printf("tbstream %s\n", TBSTREAM_VERSION);
		return EXIT_VERIFIED;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		tbstream_help(stdout);
		return EXIT_VERIFIED;
	}
	if (*name)
		msg_error("'%s' is no command of tbstream", name);
	tbstream_help(stderr);
	return EXIT_USAGE;
}
