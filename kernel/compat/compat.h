/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernels and their thunderbolt cores lack or do otherwise. Kbuild finds it in their headers
 * and says COMPAT_HAS_...; no other file of the driver has a word of versions.
 */
#ifndef TBSTREAM_COMPAT_H
#define TBSTREAM_COMPAT_H

#include <linux/configfs.h>
#include <linux/fs.h>
#include <linux/thunderbolt.h>

/* A core that has all this may have the in-tree driver too, which is then the one to be loaded. */
#if defined(COMPAT_HAS_CONFIGFS_ROOT) && defined(COMPAT_HAS_SERVICE_PROPERTIES)
#define COMPAT_DEVICE_TABLE(type, name)
#else
#define COMPAT_DEVICE_TABLE(type, name) MODULE_DEVICE_TABLE(type, name)
#endif

/* tb_service_driver.probe() has lost its second argument, which nobody used. */
#ifdef COMPAT_HAS_PROBE_ID
#define COMPAT_PROBE_ARGS struct tb_service *svc, const struct tb_service_id *id
#else
#define COMPAT_PROBE_ARGS struct tb_service *svc
#endif

#ifdef COMPAT_HAS_NO_INTERRUPT
#define COMPAT_RING_FLAG_NO_INTERRUPT RING_FLAG_NO_INTERRUPT
#else
#define COMPAT_RING_FLAG_NO_INTERRUPT 0
#endif

#ifdef COMPAT_HAS_COPY_SPLICE
#define compat_splice_read copy_splice_read
#else
#define compat_splice_read generic_file_splice_read
#endif

#ifdef COMPAT_HAS_IOCB_NOSIGNAL
#define COMPAT_IOCB_NOSIGNAL IOCB_NOSIGNAL
#else
#define COMPAT_IOCB_NOSIGNAL 0
#endif

/* A file without FMODE_LSEEK needs none any more. */
#ifdef COMPAT_HAS_NO_LLSEEK
#define compat_no_llseek no_llseek
#else
#define compat_no_llseek NULL
#endif

/*
 * compat_ring_start() - start a ring with this least time between interrupts
 * @hw: the ring, stopped
 * @throttling: nanoseconds, in steps of 256; 0 for none
 */
void compat_ring_start(struct tb_ring *hw, unsigned int throttling);

/* compat_ring_stop() - stop a ring; its vector goes on to others as it was */
void compat_ring_stop(struct tb_ring *hw);

/* compat_ring_interval() - nanoseconds as the throttling register takes them, rounded up */
u32 compat_ring_interval(unsigned int throttling);

#ifdef COMPAT_HAS_CONFIGFS_ROOT
#define compat_configfs_register   tb_configfs_register_group
#define compat_configfs_unregister tb_configfs_unregister_group
#else
/* compat_configfs_register() - put @group below configfs' "thunderbolt", which it makes */
int compat_configfs_register(struct config_group *group);
void compat_configfs_unregister(struct config_group *group);
#endif

/*
 * compat_announce_init() - offer the service "stream" to all peers
 * Return: 0, -EEXIST where another driver does so already, or another negative errno
 */
int compat_announce_init(void);
void compat_announce_exit(void);

/*
 * compat_announce() - say, change or withdraw what the peer is told of a stream
 * @svc: the peer's service
 * @name: of the stream, up to 8 characters
 * @known: whether it is announced, by the last call that returned 0
 * @in: our in HopID; 0 withdraws
 * @out: our out HopID
 *
 * Return: 0; -EEXIST where the core has one directory for all peers and another one was told
 * other HopIDs; -ENOSPC where that directory is full; -ENOMEM. Withdrawing does not fail.
 */
int compat_announce(struct tb_service *svc, const char *name, bool known, int in, int out);

/*
 * compat_lookup() - what the peer announces
 * @in: receives the peer's in HopID
 * @out: receives the peer's out HopID
 *
 * Return: whether it announces both.
 */
bool compat_lookup(struct tb_service *svc, const char *name, int *in, int *out);

/* compat_lookup_in() - the same in a property directory */
bool compat_lookup_in(struct tb_property_dir *dir, const char *name, int *in, int *out);

#endif
