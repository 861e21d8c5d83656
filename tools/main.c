// SPDX-License-Identifier: GPL-2.0-or-later
/* One static program under three names. */
#include <string.h>

#include "programs.h"

int main(int argc, char **argv)
{
	static char name[] = "tbstream";
	static char *none[] = {name, NULL};

	if (argc < 1)
		return tbstream_main(1, none);
	const char *slash = strrchr(argv[0], '/');
	const char *called = slash ? slash + 1 : argv[0];

	if (!strcmp(called, "tbsend"))
		return tbsend_main(argc, argv);
	if (!strcmp(called, "tbrecv"))
		return tbrecv_main(argc, argv);
	return tbstream_main(argc, argv);
}
