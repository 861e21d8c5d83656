// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define UUID_CHARS 36u

static const char help[] =
	"Usage: fabric [--seed N] --control PATH --host NAME=SOCKET[,uuid=UUID][,lanes=1|2]...\n"
	"              [--cable A:B[,unplugged]]...\n"
	"\n"
	"Emulates USB4 host controllers and the cables between them, for QEMU's vfio-user-pci.\n"
	"Prints \"ready\" when every socket listens; events go to standard error, a line each.\n"
	"\n"
	"  --host     a machine, its vfio-user socket, the UUID of its router (ends in\n"
	"             ffff-ffffffffffff; by default made from the name) and the lanes of its ports\n"
	"             (by default 1, which joins faster)\n"
	"  --cable    joins two hosts, each by one of its ports; cables are numbered from 0\n"
	"  --control  socket for commands, try \"help\"\n"
	"  --seed     for random faults, by default 1\n";

const char *options_help(void)
{
	return help;
}

__attribute__((format(printf, 2, 3))) static int refuse(char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, OPTIONS_ERROR_MAX, format, args);
	va_end(args);
	return -EINVAL;
}

/* FNV-1a: any name gives an id, and the same one every time. */
static uint64_t id_from_name(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return hash;
}

/*
 * The kernel makes a host's UUID from the router's 64-bit unique id, in memory order, and fills the
 * second half with ones.
 */
static bool id_from_uuid(const char *text, uint64_t *ret_id)
{
	uint64_t id = 0;
	unsigned int digits = 0;

	if (strlen(text) != UUID_CHARS || strcasecmp(text + 18, "-ffff-ffffffffffff"))
		return false;
	for (unsigned int i = 0; i < 18; i++) {
		const char *hex = "0123456789abcdef0123456789ABCDEF", *at;

		if (i == 8 || i == 13) {
			if (text[i] != '-')
				return false;
			continue;
		}
		at = strchr(hex, text[i]);
		if (!at)
			return false;
		id |= (uint64_t)((at - hex) % 16) << (digits / 2 * 8 + (digits % 2 ? 0 : 4));
		digits++;
	}
	*ret_id = id;
	return true;
}

static int find_host(const struct options *options, const char *name)
{
	for (unsigned int i = 0; i < options->host_count; i++) {
		if (!strcmp(options->hosts[i].name, name))
			return (int)i;
	}
	return -1;
}

static int parse_host(struct options *options, char *arg, char *error)
{
	struct options_host *host = &options->hosts[options->host_count];
	char *path = strchr(arg, '='), *part;

	if (options->host_count == FABRIC_HOSTS_MAX)
		return refuse(error, "More than %u hosts: start another fabric.", FABRIC_HOSTS_MAX);
	if (!path || path == arg || path - arg >= (ptrdiff_t)sizeof(host->name))
		return refuse(error,
			      "--host %s is not NAME=SOCKET (a name of 1 to %zu characters).", arg,
			      sizeof(host->name) - 1);
	*path++ = '\0';
	if (find_host(options, arg) >= 0)
		return refuse(error, "There are two hosts %s: give each a name of its own.", arg);

	*host = (struct options_host){.lanes = 1, .unique_id = id_from_name(arg)};
	strcpy(host->name, arg);
	host->path = strsep(&path, ",");
	if (!*host->path)
		return refuse(error, "Host %s has no socket: give NAME=SOCKET.", arg);
	while ((part = strsep(&path, ","))) {
		if (!strcmp(part, "lanes=1") || !strcmp(part, "lanes=2"))
			host->lanes = (unsigned int)(part[6] - '0');
		else if (strncmp(part, "uuid=", 5) || !id_from_uuid(part + 5, &host->unique_id))
			return refuse(error,
				      "Host %s: %s is neither lanes=1, lanes=2 nor "
				      "uuid=XXXXXXXX-XXXX-XXXX-ffff-ffffffffffff.",
				      arg, part);
	}
	options->host_count++;
	return 0;
}

static int parse_cable(struct options *options, char *arg, char *error)
{
	struct options_cable *cable = &options->cables[options->cable_count];
	const char *name;

	if (options->cable_count == FABRIC_CABLES_MAX)
		return refuse(error, "More than %u cables.", FABRIC_CABLES_MAX);
	*cable = (struct options_cable){.plugged = true};
	for (unsigned int end = 0; end < 2; end++) {
		struct options_host *host;
		int index;

		name = strsep(&arg, end ? "," : ":");
		index = name ? find_host(options, name) : -1;
		if (index < 0)
			return refuse(error,
				      "--cable: there is no host %s: give A:B, after the hosts.",
				      name ? name : "at its second end");
		host = &options->hosts[index];
		if (host->ports == ROUTER_PORTS_MAX)
			return refuse(error, "Host %s has more than %u cables.", name,
				      ROUTER_PORTS_MAX);
		cable->host[end] = (unsigned int)index;
		cable->port[end] = host->ports++;
	}
	if (arg && strcmp(arg, "unplugged"))
		return refuse(error, "--cable: %s is not \"unplugged\".", arg);
	cable->plugged = !arg;
	options->cable_count++;
	return 0;
}

static int parse_seed(struct options *options, const char *arg, char *error)
{
	char *end;

	errno = 0;
	options->seed = strtoull(arg, &end, 0);
	return errno || *end || end == arg ? refuse(error, "--seed %s is not a number.", arg) : 0;
}

int options_parse(struct options *options, int argc, char **argv, char error[OPTIONS_ERROR_MAX])
{
	static const struct option names[] = {
		{"seed", required_argument, NULL, 's'}, {"control", required_argument, NULL, 'C'},
		{"host", required_argument, NULL, 'h'}, {"cable", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'H'},	{0},
	};
	int ret = 0, option;

	*options = (struct options){.seed = 1};
	optind = 0; /* a caller may parse more than one command line */
	opterr = 0;
	while (!ret && (option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 's': ret = parse_seed(options, optarg, error); break;
		case 'C': options->control = optarg; break;
		case 'h': ret = parse_host(options, optarg, error); break;
		case 'c': ret = parse_cable(options, optarg, error); break;
		case 'H': options->help = true; return 0;
		default:
			return refuse(error, "%s is not an option with its value: see --help.",
				      argv[optind - 1]);
		}
	}
	if (ret)
		return ret;
	if (optind < argc)
		return refuse(error, "%s is not an option: see --help.", argv[optind]);
	if (!options->control || !options->host_count)
		return refuse(error, "Give --control and at least one --host: see --help.");
	for (unsigned int i = 0; i < options->host_count; i++) {
		if (!options->hosts[i].ports)
			options->hosts[i].ports = 1;
	}
	return 0;
}
