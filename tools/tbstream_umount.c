// SPDX-License-Identifier: GPL-2.0-or-later
/* tbstream umount: the end of a mount. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "look/mount.h"
#include "programs.h"
#include "ui/msg.h"

/* DIR as it was noted, also where its file system does not answer any more. */
static int umount_target(const char *dir, char ret[PATH_MAX])
{
	char above[PATH_MAX], parent[PATH_MAX];
	size_t len = strlen(dir);

	if (realpath(dir, ret))
		return 0;
	if (errno != ENOTCONN || len >= sizeof(above))
		return -errno;
	while (len > 1 && dir[len - 1] == '/')
		len--;
	const char *slash = memrchr(dir, '/', len);
	size_t name = slash ? (size_t)(slash - dir) + 1 : 0;

	snprintf(above, sizeof(above), "%.*s", name ? (int)name : 1, name ? dir : ".");
	if (!realpath(above, parent))
		return -errno;
	int n = snprintf(ret, PATH_MAX, "%s/%.*s", strcmp(parent, "/") ? parent : "",
			 (int)(len - name), dir + name);

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* What the server had to complain of, which nobody has seen so far. */
static void umount_log(const struct mount_run *run)
{
	char text[512];
	ssize_t n = run->log < 0 ? 0 : pread(run->log, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	if (n > 0)
		msg_warn("while it was mounted: %.*s", (int)strcspn(text, "\n"), text);
}

int tbstream_umount(int argc, char **argv)
{
	struct mount_programs programs;
	struct mount_run run;
	struct options options;
	char dir[PATH_MAX];
	int r, code = program_start(OPTIONS_UMOUNT, argc, argv, &options);

	if (code >= 0)
		return code;
	if (options.count != 1) {
		msg_error("where? Say `tbstream umount /mnt`");
		return EXIT_USAGE;
	}
	r = umount_target(options.arguments[0], dir);
	if (r < 0) {
		msg_error("%s cannot be unmounted: %s", options.arguments[0], strerror(-r));
		return EXIT_FAILED;
	}
	if (mount_programs_find(NULL, &programs) < 0)
		return EXIT_FAILED;
	r = mount_run_find(dir, &run);
	if (r == 0)
		umount_log(&run);
	if (r == 0)
		r = mount_run_end(&run, &programs);
	if (r < 0)
		msg_error("%s is not unmounted: %s", dir, run.why);
	mount_run_clear(&run);
	return r == 0 ? EXIT_VERIFIED : EXIT_FAILED;
}
