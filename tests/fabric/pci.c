// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/pci_regs.h>
#include <string.h>

#include "pci.h"

#define VENDOR_ID  0x1234 /* used by emulated devices only, assigned to nobody */
#define DEVICE_ID  0x5b44
#define CLASS_CODE 0x0c0340 /* serial bus, USB, USB4 host interface */
#define PM_POS	   0x40
#define MSIX_POS   0x50

#define MSIX_PBA_OFFSET 0x800

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, (uint16_t)value);
	put16(at + 2, (uint16_t)(value >> 16));
}

static void add_power(struct pci *pci)
{
	uint8_t *cap = &pci->config[PM_POS];

	cap[PCI_CAP_LIST_ID] = PCI_CAP_ID_PM;
	cap[PCI_CAP_LIST_NEXT] = MSIX_POS;
	put16(&cap[PCI_PM_PMC], 3 | PCI_PM_CAP_PME_D0 | PCI_PM_CAP_PME_D3hot);
	put16(&cap[PCI_PM_CTRL], PCI_PM_CTRL_NO_SOFT_RESET);
	put16(&pci->writable[PM_POS + PCI_PM_CTRL],
	      PCI_PM_CTRL_STATE_MASK | PCI_PM_CTRL_PME_ENABLE);
	put16(&pci->write_1_clear[PM_POS + PCI_PM_CTRL], PCI_PM_CTRL_PME_STATUS);
}

void pci_raise_pme(struct pci *pci)
{
	uint8_t *high = &pci->config[PM_POS + PCI_PM_CTRL + 1];

	if (*high & PCI_PM_CTRL_PME_ENABLE >> 8)
		*high |= PCI_PM_CTRL_PME_STATUS >> 8;
}

static void add_msix(struct pci *pci)
{
	uint8_t *cap = &pci->config[MSIX_POS];

	cap[PCI_CAP_LIST_ID] = PCI_CAP_ID_MSIX;
	put16(&cap[PCI_MSIX_FLAGS], PCI_MSIX_VECTORS - 1);
	put32(&cap[PCI_MSIX_TABLE], PCI_MSIX_BAR);
	put32(&cap[PCI_MSIX_PBA], MSIX_PBA_OFFSET | PCI_MSIX_BAR);
	put16(&pci->writable[MSIX_POS + PCI_MSIX_FLAGS],
	      PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
}

void pci_reset(struct pci *pci)
{
	uint8_t *config = pci->config;

	*pci = (struct pci){0};
	put16(&config[PCI_VENDOR_ID], VENDOR_ID);
	put16(&config[PCI_DEVICE_ID], DEVICE_ID);
	put16(&config[PCI_STATUS], PCI_STATUS_CAP_LIST);
	put32(&config[PCI_CLASS_REVISION], CLASS_CODE << 8 | 1);
	put32(&config[PCI_BASE_ADDRESS_0], PCI_BASE_ADDRESS_MEM_TYPE_64);
	put32(&config[PCI_BASE_ADDRESS_0 + 4 * PCI_MSIX_BAR], PCI_BASE_ADDRESS_MEM_TYPE_64);
	put16(&config[PCI_SUBSYSTEM_VENDOR_ID], VENDOR_ID);
	put16(&config[PCI_SUBSYSTEM_ID], DEVICE_ID);
	config[PCI_CAPABILITY_LIST] = PM_POS;
	add_power(pci);
	add_msix(pci);

	put16(&pci->writable[PCI_COMMAND],
	      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	pci->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	pci->writable[PCI_LATENCY_TIMER] = 0xff;
	pci->writable[PCI_INTERRUPT_LINE] = 0xff;
}

static bool range_valid(uint64_t offset, size_t len)
{
	return offset <= PCI_CONFIG_SIZE && len <= PCI_CONFIG_SIZE - offset;
}

bool pci_read(const struct pci *pci, uint64_t offset, void *buf, size_t len)
{
	if (!range_valid(offset, len))
		return false;
	memcpy(buf, &pci->config[offset], len);
	return true;
}

bool pci_write(struct pci *pci, uint64_t offset, const void *buf, size_t len)
{
	const uint8_t *from = buf;

	if (!range_valid(offset, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		uint8_t *to = &pci->config[offset + i];
		uint8_t writable = pci->writable[offset + i];
		uint8_t cleared = pci->write_1_clear[offset + i] & from[i];

		*to = (uint8_t)((*to & ~writable & ~cleared) | (from[i] & writable));
	}
	return true;
}
