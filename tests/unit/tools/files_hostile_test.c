// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * File systems that were made to do harm, and many that were damaged at random (by a seed that is
 * printed): all of them are copied, as far as that goes, and nothing appears outside the
 * destination, nothing crashes, nothing hangs.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <valgrind/valgrind.h>

#include "codec/bytes.h"
#include "look/copy.h"
#include "files_image.h"
#include "ui/msg.h"

#define HOSTILE_SECONDS 60 /* for one file system */

/* In memory: what is copied is synced, hundreds of times. */
static char folder[] = "/dev/shm/tbstream-hostile-XXXXXX";
static uint64_t seed = 0x5eed;

static uint32_t next_random(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> 33;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Runs a line of shell in the folder. */
static int shell(const char *line)
{
	char command[2048];

	snprintf(command, sizeof(command), "cd %s && PATH=$PATH:/usr/sbin:/sbin; { %s; } >log 2>&1",
		 folder, line);
	return system(command);
}

/* The disk that LINE makes, or NULL where it cannot be made here. */
static uint8_t *make_disk(const char *line, size_t *ret_size)
{
	char path[64];
	struct stat st;

	if (shell(line) != 0)
		return NULL;
	snprintf(path, sizeof(path), "%s/disk", folder);
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	uint8_t *disk = malloc(st.st_size);

	assert_non_null(disk);
	assert_int_equal(read(fd, disk, st.st_size), st.st_size);
	close(fd);
	unlink(path);
	*ret_size = st.st_size;
	return disk;
}

/* Whether the folder holds what it should: the source and the log; what was copied is removed. */
static void check_outside(void)
{
	assert_int_equal(shell("rm -rf out && [ \"$(ls -A)\" = \"$(printf 'log\\nsrc')\" ]"), 0);
}

/* Copies all of DISK. What it says is not looked at, only that it says something. */
static int copy_all(const uint8_t *disk, size_t size, struct copy_result *ret)
{
	const struct copy_options options = {.recursive = true};
	struct files_image image;
	char out[64];
	int quiet = open("/dev/null", O_WRONLY), said = dup(STDERR_FILENO);

	*ret = (struct copy_result){0};
	snprintf(out, sizeof(out), "%s/out", folder);
	alarm(RUNNING_ON_VALGRIND ? 20 * HOSTILE_SECONDS : HOSTILE_SECONDS);
	int r = files_image_open(&image, disk, size);

	assert_int_equal(mkdir(out, 0700), 0);
	if (r < 0)
		assert_true(files_why(image.files)[0]);
	dup2(quiet, STDERR_FILENO);
	if (r == 0)
		r = copy_to(image.files, files_root(image.files), "/", out, &options, ret);
	fflush(stderr);
	dup2(said, STDERR_FILENO);
	close(said);
	close(quiet);
	files_image_close(&image);
	alarm(0);
	return r;
}

#define EXT_LINE(options) "mke2fs -q -F -b 1024 " options " -d src disk 2M"
#define EXT_PLAIN	  EXT_LINE("-t ext4 -O ^metadata_csum,^64bit,^has_journal,^dir_index")

/* Where the folder entry of NAME has its name. */
static uint8_t *find_name(uint8_t *disk, size_t size, const char *name)
{
	uint8_t *at = memmem(disk, size, name, strlen(name));

	assert_non_null(at);
	return at;
}

static void files_hostile_test_names(void **state)
{
	static const char *const names[] = {"../up0", "/tmp/x", "a/../.", "..\0abc"};
	struct copy_result result, whole;
	size_t size;
	uint8_t *disk = make_disk(EXT_PLAIN, &size);

	(void)state;
	if (!disk)
		skip();
	assert_int_equal(copy_all(disk, size, &whole), 0);
	assert_int_equal(whole.failed, 0);
	check_outside();
	uint8_t *at = find_name(disk, size, "victim");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		memcpy(at, names[i], 6);
		assert_int_equal(copy_all(disk, size, &result), 0);
		assert_int_equal(result.failed, 1);
		assert_int_equal(result.files, whole.files - 1);
		check_outside();
	}
	free(disk);
}

/* A symlink to elsewhere, and a folder of the same name whose file would go there. */
static void files_hostile_test_symlink(void **state)
{
	struct copy_result result;
	size_t size;
	uint8_t *disk = make_disk(EXT_PLAIN, &size);

	(void)state;
	if (!disk)
		skip();
	memcpy(find_name(disk, size, "elsewhere"), "subfolder", 9);
	assert_int_equal(copy_all(disk, size, &result), 0);
	assert_int_equal(result.failed, 1);
	check_outside();
	free(disk);
}

/* Folders in themselves and in two places. */
static void files_hostile_test_loops(void **state)
{
	struct copy_result result, whole;
	size_t size;
	uint8_t *disk = make_disk(EXT_PLAIN, &size), inode[4];

	(void)state;
	if (!disk)
		skip();
	assert_int_equal(copy_all(disk, size, &whole), 0);
	check_outside();
	memcpy(inode, find_name(disk, size, "subfolder") - 8, 4);
	memcpy(find_name(disk, size, "inner") - 8, inode, 4);
	assert_int_equal(copy_all(disk, size, &result), 0);
	assert_int_equal(result.failed, 1);
	check_outside();
	/* The root in a folder of its own. */
	bytes_put32(find_name(disk, size, "inner") - 8, 2);
	assert_int_equal(copy_all(disk, size, &result), 0);
	assert_int_equal(result.failed, 1);
	check_outside();
	free(disk);
}

/* Changes one to eight places in blocks that hold something. */
static void damage(uint8_t *disk, size_t size)
{
	for (uint32_t left = 1 + next_random() % 8; left;) {
		size_t at = ((size_t)next_random() * 1024 + next_random() % 1024) % (size - 4);
		size_t block = at / 1024 * 1024;

		if (chunk_is_zero(disk + block, size - block < 1024 ? size - block : 1024))
			continue;
		left--;
		switch (next_random() % 4) {
		case 0: bytes_put32(disk + at / 4 * 4, UINT32_MAX); break;
		case 1: bytes_put32(disk + at / 4 * 4, next_random() % 4096); break;
		default: disk[at] ^= 1u << next_random() % 8;
		}
	}
}

static void random_damage(const char *line, int rounds)
{
	struct copy_result result;
	int copied = 0;
	size_t size;
	uint8_t *disk = make_disk(line, &size), *bad;

	if (!disk)
		skip();
	bad = malloc(size);
	assert_non_null(bad);
	if (RUNNING_ON_VALGRIND)
		rounds /= 40;
	print_message("# seed %#llx\n", (unsigned long long)seed);
	for (int i = 0; i < rounds; i++) {
		memcpy(bad, disk, size);
		damage(bad, size);
		copy_all(bad, size, &result);
		copied += result.files > 0;
		check_outside();
	}
	/* Most are still readable in part, or this shows nothing. */
	assert_true(copied > rounds / 4);
	free(bad);
	free(disk);
}

static void files_hostile_test_ext4(void **state)
{
	(void)state;
	random_damage(EXT_PLAIN, 300);
}

static void files_hostile_test_ext4_inline(void **state)
{
	(void)state;
	random_damage(EXT_LINE("-t ext4 -O ^metadata_csum,inline_data -I 256"), 120);
}

static void files_hostile_test_ext4_sums(void **state)
{
	(void)state;
	random_damage(EXT_LINE("-t ext4"), 120);
}

static void files_hostile_test_ext2(void **state)
{
	(void)state;
	random_damage(EXT_LINE("-t ext2"), 200);
}

static void files_hostile_test_fat(void **state)
{
	(void)state;
	random_damage("truncate -s 1M disk && mkfs.vfat disk && mcopy -i disk -s src/subfolder "
		      "src/victim \"src/A long name.txt\" ::",
		      300);
}

static void files_hostile_test_ntfs(void **state)
{
	(void)state;
	random_damage("truncate -s 2M disk && mkntfs -q -F -f disk && ntfscp -q disk src/victim "
		      "victim && ntfscp -q disk src/large large",
		      200);
}

static int make_folder(void **state)
{
	(void)state;
	msg_setup("test", MSG_QUIET, false);
	assert_non_null(mkdtemp(folder));
	return shell("mkdir -p src/subfolder/inner && echo x >src/victim && "
		     "echo y >src/subfolder/y && echo z >src/subfolder/inner/z && "
		     "ln -s /nowhere/at/all src/elsewhere && echo long >'src/A long name.txt' && "
		     "head -c 300000 /dev/urandom >src/large && "
		     "for i in $(seq 40); do echo $i >src/subfolder/inner/f$i; done && "
		     "truncate -s 40M src/sparse && printf end | dd of=src/sparse bs=1 "
		     "seek=30000000 conv=notrunc");
}

static int remove_folder(void **state)
{
	(void)state;
	remove_tree(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_hostile_test_names),
		cmocka_unit_test(files_hostile_test_symlink),
		cmocka_unit_test(files_hostile_test_loops),
		cmocka_unit_test(files_hostile_test_ext4),
		cmocka_unit_test(files_hostile_test_ext4_inline),
		cmocka_unit_test(files_hostile_test_ext4_sums),
		cmocka_unit_test(files_hostile_test_ext2),
		cmocka_unit_test(files_hostile_test_fat),
		cmocka_unit_test(files_hostile_test_ntfs),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
