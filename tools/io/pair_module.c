// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/pair_module.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/stop.h"

#define PAIR_MODULE_CONFIGFS	   "/sys/kernel/config"
#define PAIR_MODULE_PATIENCE	   (30 * STOP_SECOND) /* a driver's probe may take seconds */
#define PAIR_MODULE_CONFIGFS_MAGIC 0x62656570	      /* fs/configfs/mount.c */

static const char *const pair_module_drivers[] = {"thunderbolt_stream", "tbstream"};

/* In the child: signals as any program expects them, nothing on the terminal. */
static void pair_module_exec(const char *name)
{
	static const char *const paths[] = {"/sbin/modprobe", "/usr/sbin/modprobe", "/bin/modprobe",
					    "/usr/bin/modprobe"};
	char *argv[] = {"modprobe", "-q", (char *)name, NULL};
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		execv(paths[i], argv);
	_exit(127);
}

/* Runs modprobe to its end; killed when it takes too long or a signal asks us to stop. */
static void pair_module_probe(const char *name)
{
	pid_t child = fork();
	int fd;

	if (child == 0)
		pair_module_exec(name);
	if (child < 0)
		return;
	fd = pidfd_open(child, 0);
	if (fd >= 0) {
		if (stop_poll(fd, POLLIN, stop_deadline(PAIR_MODULE_PATIENCE)) < 0)
			kill(child, SIGKILL);
		close(fd);
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

const char *pair_module_driver(void)
{
	for (size_t i = 0; i < 2; i++) {
		char path[80];

		snprintf(path, sizeof(path), "/sys/bus/thunderbolt/drivers/%s",
			 pair_module_drivers[i]);
		if (access(path, F_OK) == 0)
			return pair_module_drivers[i];
	}
	return "";
}

static bool pair_module_mounted(void)
{
	struct statfs fs;

	return statfs(PAIR_MODULE_CONFIGFS, &fs) == 0 && fs.f_type == PAIR_MODULE_CONFIGFS_MAGIC;
}

void pair_module_load(void)
{
	if (geteuid() != 0)
		return;
	if (access("/sys/bus/thunderbolt", F_OK))
		pair_module_probe("thunderbolt");
	for (size_t i = 0; i < 2 && !pair_module_driver()[0]; i++)
		pair_module_probe(pair_module_drivers[i]);
	if (pair_module_mounted())
		return;
	if (access(PAIR_MODULE_CONFIGFS, F_OK))
		pair_module_probe("configfs");
	mount("configfs", PAIR_MODULE_CONFIGFS, "configfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}
