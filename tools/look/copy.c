// SPDX-License-Identifier: GPL-2.0-or-later
#include "look/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "look/copy_internal.h"
#include "ui/msg.h"

/* The last name in PATH without the slashes behind it, or NULL where it names no file. */
static char *copy_base(const char *path)
{
	size_t end = strlen(path), start;

	while (end && path[end - 1] == '/')
		end--;
	for (start = end; start && path[start - 1] != '/';)
		start--;
	return files_name_safe(path + start, end - start) ? strndup(path + start, end - start)
							  : NULL;
}

static int copy_start(struct copy *copy, const char *path)
{
	mode_t mask = umask(0);

	umask(mask);
	copy->umask = mask;
	copy->buf = malloc(COPY_BUFFER);
	copy->path = strdup(path);
	copy->path_len = copy->path ? strlen(path) : 0;
	copy->path_room = copy->path_len + 1;
	return copy->buf && copy->path ? 0 : -ENOMEM;
}

static void copy_end(struct copy *copy, struct copy_result *ret)
{
	*ret = copy->result;
	files_seen_free(&copy->seen);
	free(copy->path);
	free(copy->buf);
}

/* Every folder on the way down stays open. */
static void copy_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max < 2 * FILES_DEPTH_MOST ? limit.rlim_max
								       : 2 * FILES_DEPTH_MOST;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/*
 * Opens the folder that DEST is in, or DEST itself where it is one, and finds the name to be given
 * there: NULL for the folder's own contents. Returns the descriptor or -errno, told.
 */
static int copy_dest(const char *path, const char *dest, bool whole, char **ret_name)
{
	int fd = open(dest, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = -errno;
	char *parent;

	*ret_name = NULL;
	if (fd >= 0) {
		*ret_name = whole ? NULL : copy_base(path);
		return fd;
	}
	*ret_name = copy_base(dest);
	parent = strdup(dest);
	if (parent && *ret_name && (r == -ENOENT || r == -ENOTDIR)) {
		size_t end = strlen(parent);

		while (end && parent[end - 1] == '/')
			end--;
		while (end && parent[end - 1] != '/')
			end--;
		parent[end] = '\0';
		fd = open(end ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = -errno;
	}
	free(parent);
	if (fd >= 0)
		return fd;
	msg_error("%s cannot be written to: %s", dest, strerror(-r));
	return r;
}

static int copy_known(struct copy *copy, uint64_t id, const char *dest)
{
	struct files_stat stat;
	int fd, r = files_stat(copy->files, id, &stat);
	bool folder = r == 0 && S_ISDIR(stat.mode);
	char *base = copy_base(copy->path), *name = NULL;

	if (r < 0) {
		free(base);
		return copy_source_failed(copy, r);
	}
	if (!copy->options.recursive && !S_ISREG(stat.mode)) {
		copy->result.failed++;
		msg_error(folder ? "%s is a folder: -r copies it with all that is in it"
				 : "%s is no regular file",
			  copy->path);
		free(base);
		return 0;
	}
	fd = copy_dest(copy->path, dest, !base, &name);
	if (fd < 0) {
		r = fd;
		copy->result.failed++;
	} else if (!folder && *dest && dest[strlen(dest) - 1] == '/' &&
		   faccessat(AT_FDCWD, dest, F_OK, 0) < 0) {
		r = copy_target_failed(copy, dest, -ENOENT);
	} else if (name) {
		r = copy_node(copy, fd, name, id);
	} else {
		r = copy_children(copy, fd, id);
	}
	/* Exit code 0 says that it is safe. */
	if (fd >= 0 && syncfs(fd) < 0 && r == 0)
		r = copy_target_failed(copy, dest, -errno);
	if (fd >= 0)
		close(fd);
	free(base);
	free(name);
	return r;
}

int copy_to(struct files *files, uint64_t id, const char *path, const char *dest,
	    const struct copy_options *options, struct copy_result *ret)
{
	struct copy copy = {.files = files, .options = *options};
	int r = copy_start(&copy, path);

	copy_descriptors();
	if (r < 0)
		msg_error("out of memory");
	else
		r = copy_known(&copy, id, dest);
	copy_end(&copy, ret);
	return r;
}

int copy_to_stdout(struct files *files, uint64_t id, const char *path, struct copy_result *ret)
{
	struct copy copy = {.files = files};
	struct files_stat stat;
	int r = copy_start(&copy, path);

	if (r < 0) {
		msg_error("out of memory");
	} else {
		r = files_stat(files, id, &stat);
		if (r < 0) {
			r = copy_source_failed(&copy, r);
		} else if (!S_ISREG(stat.mode)) {
			copy.result.failed++;
			msg_error("%s is no regular file: only one has bytes for standard output",
				  path);
		} else {
			r = copy_stream(&copy, id, &stat, STDOUT_FILENO);
		}
	}
	copy_end(&copy, ret);
	return r;
}
