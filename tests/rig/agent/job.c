// SPDX-License-Identifier: GPL-2.0-or-later
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line.h"

struct job {
	unsigned id;
	pid_t pid; /* 0: this place is free */
	bool pty;
	int in, out, err; /* -1: closed; of a pty, in and out are duplicates of its master */
	char *input;	  /* not yet written to in */
	size_t input_size;
	bool input_ends;
};

static struct job jobs[JOBS_MAX];
static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static struct job *job_find(unsigned id)
{
	for (int i = 0; i < JOBS_MAX; i++)
		if (jobs[i].pid && jobs[i].id == id)
			return &jobs[i];
	return NULL;
}

static struct job *job_free_place(void)
{
	for (int i = 0; i < JOBS_MAX; i++)
		if (!jobs[i].pid)
			return &jobs[i];
	return NULL;
}

static void job_exec(const char *command)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	perror("/bin/sh");
	_exit(127);
}

static int job_start_pty(struct job *job, const char *command)
{
	struct winsize size = {.ws_row = 25, .ws_col = 80};
	int master;

	job->pid = forkpty(&master, NULL, NULL, &size);
	if (job->pid < 0)
		return -1;
	if (!job->pid)
		job_exec(command);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	job->out = master;
	job->in = fcntl(master, F_DUPFD_CLOEXEC, 0);
	job->err = -1;
	return 0;
}

static int job_start_pipe(struct job *job, const char *command)
{
	int in[2], out[2], err[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return -1;
	job->pid = fork();
	if (job->pid < 0)
		return -1;
	if (!job->pid) {
		setsid();
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		job_exec(command);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	job->in = in[1];
	job->out = out[0];
	job->err = err[0];
	fcntl(job->err, F_SETFL, O_NONBLOCK);
	return 0;
}

int job_start(unsigned id, bool pty, const char *command)
{
	struct job *job = job_free_place();

	if (!job || job_find(id))
		return -1;
	memset(job, 0, sizeof(*job));
	if (pty ? job_start_pty(job, command) : job_start_pipe(job, command)) {
		job->pid = 0;
		return -1;
	}
	job->id = id;
	job->pty = pty;
	fcntl(job->in, F_SETFL, O_NONBLOCK);
	fcntl(job->out, F_SETFL, O_NONBLOCK);
	return 0;
}

/* Reports one piece of what the job printed; false at the end and when there is none just now. */
static bool job_read(struct job *job, int *fd, const char *name)
{
	char data[LINE_DATA_MAX];
	ssize_t count;

	if (*fd < 0)
		return false;
	count = read(*fd, data, sizeof(data));
	if (count > 0)
		line_send(data, (size_t)count, "%s %u ", name, job->id);
	else if (!count || errno != EAGAIN)
		fd_close(fd);
	return count > 0;
}

static void job_write(struct job *job)
{
	ssize_t count = 0;

	if (job->input_size) {
		count = write(job->in, job->input, job->input_size);
		if (count < 0 && errno == EAGAIN)
			return;
		if (count < 0) {
			job->input_size = 0;
			job->input_ends = true;
		} else {
			job->input_size -= (size_t)count;
			memmove(job->input, job->input + count, job->input_size);
		}
	}
	if (!job->input_size && job->input_ends)
		fd_close(&job->in);
}

int job_input(unsigned id, const char *data, size_t size)
{
	struct job *job = job_find(id);
	char *input;

	if (!job || job->in < 0)
		return 0;
	if (job->input_ends)
		return -1;
	input = realloc(job->input, job->input_size + size + 1);
	if (!input)
		return -1;
	memcpy(input + job->input_size, data, size);
	job->input = input;
	job->input_size += size;
	return 0;
}

int job_input_end(unsigned id)
{
	struct job *job = job_find(id);

	if (job)
		job->input_ends = true;
	return 0;
}

int job_kill(unsigned id, int signal)
{
	struct job *job = job_find(id);

	if (job)
		kill(-job->pid, signal);
	return 0;
}

static void job_end(struct job *job, int status)
{
	/* What it left behind in its pipes comes before the news of its end. */
	while (job_read(job, &job->out, "out"))
		;
	while (job_read(job, &job->err, "err"))
		;
	line_send(NULL, 0, "exit %u %d", job->id,
		  WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fd_close(&job->in);
	fd_close(&job->out);
	fd_close(&job->err);
	free(job->input);
	job->input = NULL;
	job->pid = 0;
}

void job_reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < JOBS_MAX; i++)
			if (jobs[i].pid == pid)
				job_end(&jobs[i], status);
}

void job_poll_add(struct pollfd fds[JOB_FDS])
{
	for (int i = 0; i < JOBS_MAX; i++, fds += 3) {
		struct job *job = &jobs[i];
		bool writes = job->input_size || job->input_ends;

		fds[0] = (struct pollfd){job->pid && writes ? job->in : -1, POLLOUT, 0};
		fds[1] = (struct pollfd){job->pid ? job->out : -1, POLLIN, 0};
		fds[2] = (struct pollfd){job->pid ? job->err : -1, POLLIN, 0};
	}
}

void job_poll_handle(const struct pollfd fds[JOB_FDS])
{
	for (int i = 0; i < JOBS_MAX; i++, fds += 3) {
		if (fds[0].revents)
			job_write(&jobs[i]);
		if (fds[1].revents)
			job_read(&jobs[i], &jobs[i].out, "out");
		if (fds[2].revents)
			job_read(&jobs[i], &jobs[i].err, "err");
	}
}
