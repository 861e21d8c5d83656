// SPDX-License-Identifier: GPL-2.0-only
/* Faults on purpose: "insmod ... fault=NAME" commits one. */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *fault = "none";
module_param(fault, charp, 0);

static DEFINE_MUTEX(one);
static DEFINE_MUTEX(other);

static void after_free(void)
{
	char *memory = kmalloc(64, GFP_KERNEL);
	char *stale = memory;

	OPTIMIZER_HIDE_VAR(stale);
	kfree(memory);
	if (stale)
		READ_ONCE(stale[32]);
}

/* More than one: what looks like a pointer, on an old stack perhaps, hides a leak. */
static void leak(void)
{
	for (int i = 0; i < 16; i++) {
		void *memory = kmalloc(64, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(memory);
	}
}

static void lock_order(void)
{
	mutex_lock(&one);
	mutex_lock(&other);
	mutex_unlock(&other);
	mutex_unlock(&one);
	mutex_lock(&other);
	mutex_lock(&one);
	mutex_unlock(&one);
	mutex_unlock(&other);
}

static void sleep_locked(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

static void timer_rings(struct timer_list *timer)
{
}

static void timer_freed(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, timer_rings, 0);
	mod_timer(timer, jiffies + 60 * HZ);
	kfree(timer);
}

static void list_twice(void)
{
	LIST_HEAD(list);
	LIST_HEAD(entry);

	list_add(&entry, &list);
	list_add(&entry, &list);
}

static void warning(void)
{
	WARN_ON(1);
}

static const struct {
	const char *name;
	void (*commit)(void);
} faults[] = {
	{"after-free", after_free},   {"leak", leak},
	{"lock-order", lock_order},   {"sleep-locked", sleep_locked},
	{"timer-freed", timer_freed}, {"list-twice", list_twice},
	{"warning", warning},
};

static int __init planted_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(fault, faults[i].name))
			continue;
		faults[i].commit();
		return 0;
	}
	return -EINVAL;
}
module_init(planted_init);

static void __exit planted_exit(void)
{
}
module_exit(planted_exit);

MODULE_DESCRIPTION("Faults on purpose");
MODULE_LICENSE("GPL");
