// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Swap space: Linux, include/linux/swap.h: union swap_header. It is empty after a start but for its
 * first page, unless a system hibernates in it, which has another signature then
 * (kernel/power/swap.c).
 */
#include <string.h>

#include "codec/bytes.h"
#include "used/used_kinds.h"

#define SWAP_PAGE_LEAST 4096u
#define SWAP_PAGE_MOST	65536u
#define SWAP_MAGIC	"SWAPSPACE2" /* at the end of the first page */
#define SWAP_MAGIC_LEN	10u

int used_swap(const struct probe_area *area, struct spare *spare, const char **ret_doubt)
{
	uint32_t page = SWAP_PAGE_LEAST;
	uint8_t magic[SWAP_MAGIC_LEN], header[8];
	int r;

	for (;; page *= 2) {
		if (page > SWAP_PAGE_MOST)
			return used_doubt(
				"it is not empty swap space: a system may hibernate in it",
				ret_doubt);
		r = used_get(area, page - SWAP_MAGIC_LEN, magic, sizeof(magic), ret_doubt);
		if (r < 0)
			return r;
		if (memcmp(magic, SWAP_MAGIC, sizeof(magic)) == 0)
			break;
	}
	r = used_get(area, 1024, header, sizeof(header), ret_doubt);
	if (r < 0)
		return r;
	uint64_t end = (bytes_get32(header + 4) + UINT64_C(1)) * page;

	if (bytes_get32(header) != 1)
		return used_doubt("its version is not known", ret_doubt);
	if (end > area->size)
		return used_doubt("it goes on behind the end of its partition", ret_doubt);
	return spare_add(spare, page, end - page);
}
