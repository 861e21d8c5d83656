/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: configuration space of the host controller (PCI Local Bus spec 3.0 §6, MSI-X §6.8.2; USB4
 * spec, "Host Interface Adapter": class code 0c 03 40).
 *
 * BAR 0 holds the host interface registers, BAR 2 the MSI-X table. The machine (QEMU) emulates BAR
 * values, the MSI-X table and its masks, and passes the rest on. The vendor must not be Intel: the
 * kernel would then count on Intel's automatic interrupt clear.
 *
 * Power management (PCI Bus Power Management spec 1.2): the driver suspends a controller that has
 * no peer. It keeps its state in D3hot and asks for wake-up by PME status, which the kernel polls.
 */
#ifndef PCI_H
#define PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_CONFIG_SIZE	  256u
#define PCI_MSIX_VECTORS  16u
#define PCI_MSIX_BAR	  2u
#define PCI_MSIX_BAR_SIZE 0x1000u

struct pci {
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	uint8_t write_1_clear[PCI_CONFIG_SIZE];
};

/* As after power on. */
void pci_reset(struct pci *pci);

/* Access to configuration space; false outside it. Bits that cannot be written keep their value. */
bool pci_read(const struct pci *pci, uint64_t offset, void *buf, size_t len);
bool pci_write(struct pci *pci, uint64_t offset, const void *buf, size_t len);

/* Something happened that a suspended driver wants to know: sets PME status if it is enabled. */
void pci_raise_pme(struct pci *pci);

#endif
