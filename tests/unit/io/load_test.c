// SPDX-License-Identifier: GPL-2.0-or-later
/* An image written by hand, whole, cut at every byte and with a bit of every byte flipped. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <valgrind/valgrind.h>

#include "io/load.h"
#include "io/out.h"
#include "io/store.h"

/* Under valgrind a sample has to do. */
static size_t stride(void)
{
	return RUNNING_ON_VALGRIND ? 211 : 1;
}

static uint8_t *read_file(const char *name, size_t *ret_len)
{
	FILE *file = fopen(name, "rb");

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	size_t len = ftell(file);
	uint8_t *data = malloc(len);

	assert_non_null(data);
	rewind(file);
	assert_int_equal(fread(data, 1, len, file), len);
	fclose(file);
	*ret_len = len;
	return data;
}

static int file_of(const void *data, size_t len)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(out_write(fd, data, len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Reads all of the image at FD; the device's bytes go to CONTENT where it is not NULL. */
static int load_all(int fd, uint8_t *content)
{
	struct load_chunk chunk;
	struct load *load = NULL;
	int r = load_new(fd, &load);

	while (r == 0 && (r = load_next(load, &chunk)) == 1) {
		if (content)
			memcpy(content + chunk_offset(&load_head(load)->map, chunk.index),
			       chunk.content, chunk.length);
		r = 0;
	}
	if (r < 0)
		assert_true(load_why(load)[0]);
	load_free(load);
	return r;
}

static void load_test_golden(void **state)
{
	size_t image_len, device_len;
	uint8_t *image = read_file("tests/golden/image.zst", &image_len);
	uint8_t *device = read_file("tests/golden/device.raw", &device_len);
	uint8_t *content = calloc(1, device_len);
	int fd = file_of(image, image_len);

	(void)state;
	assert_int_equal(load_all(fd, content), 0);
	assert_memory_equal(content, device, device_len);
	close(fd);
	free(content);
	free(device);
	free(image);
}

static void load_test_cut_at_every_byte(void **state)
{
	size_t len;
	uint8_t *image = read_file("tests/golden/image.zst", &len);

	(void)state;
	for (size_t cut = 0; cut < len; cut += stride()) {
		int fd = file_of(image, cut);

		if (load_all(fd, NULL) >= 0)
			fail_msg("cut at %zu of %zu bytes, and accepted", cut, len);
		close(fd);
	}
	free(image);
}

static void load_test_a_bit_of_every_byte_flipped(void **state)
{
	size_t len;
	uint8_t *image = read_file("tests/golden/image.zst", &len);

	(void)state;
	for (size_t byte = 0; byte < len; byte += stride()) {
		image[byte] ^= 1u << byte % 8;
		int fd = file_of(image, len);

		if (load_all(fd, NULL) >= 0)
			fail_msg("bit %zu of byte %zu flipped, and accepted", byte % 8, byte);
		close(fd);
		image[byte] ^= 1u << byte % 8;
	}
	free(image);
}

static void load_test_something_behind(void **state)
{
	size_t len;
	uint8_t *image = read_file("tests/golden/image.zst", &len);
	int fd = file_of(image, len);

	(void)state;
	lseek(fd, 0, SEEK_END);
	assert_int_equal(out_write(fd, "x", 1), 0);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(load_all(fd, NULL), -EBADMSG);
	close(fd);
	free(image);
}

/* What store writes, load reads: chunks, zeros, several CHECKPOINTs. */
static void load_test_of_store(void **state)
{
	static const char identity[] = "{\"path\":\"/dev/x\",\"kind\":\"file\"}";
	struct image_head head = {
		.transfer_id = {1},
		.map = {.size = 40000ull * 4096 + 5, .chunk_size = 4096},
		.identity = identity,
		.identity_len = sizeof(identity) - 1,
	};
	json_t *manifest = json_object();
	struct store *store;
	struct digest root;
	int fd = memfd_create("image", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(store_new(fd, &head, &store), 0);
	assert_int_equal(store_zero(store, 40001, 0), 0);
	assert_int_equal(store_zero(store, 1, 0), -EOVERFLOW);
	assert_int_equal(store_finish(store, manifest, &root), 0);
	assert_int_equal(store_size(store), lseek(fd, 0, SEEK_CUR));
	store_free(store);
	json_decref(manifest);

	lseek(fd, 0, SEEK_SET);
	assert_int_equal(load_all(fd, NULL), 0);
	close(fd);
}

static void load_test_unfinished(void **state)
{
	struct image_head head = {
		.transfer_id = {1},
		.map = {.size = 8192, .chunk_size = 4096},
		.identity = "{}",
		.identity_len = 2,
	};
	struct store *store;
	struct digest root;
	json_t *manifest = json_object();
	int fd = memfd_create("image", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(store_new(fd, &head, &store), 0);
	assert_int_equal(store_zero(store, 1, 0), 0);
	assert_int_equal(store_finish(store, manifest, &root), -ENODATA);
	store_free(store);
	json_decref(manifest);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_test_golden),
		cmocka_unit_test(load_test_cut_at_every_byte),
		cmocka_unit_test(load_test_a_bit_of_every_byte_flipped),
		cmocka_unit_test(load_test_something_behind),
		cmocka_unit_test(load_test_of_store),
		cmocka_unit_test(load_test_unfinished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
