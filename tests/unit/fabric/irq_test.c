// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "irq.h"

#define VECTOR 5u
#define SOURCE IRQ_RX(1) /* bit 17 */
#define BIT    (UINT32_C(1) << SOURCE)

struct machine {
	struct irq irq;
	int fd; /* what the machine reads its interrupts from */
};

static int setup(void **state)
{
	static struct machine machine;

	irq_init(&machine.irq);
	machine.fd = eventfd(0, EFD_NONBLOCK);
	irq_set_fd(&machine.irq, VECTOR, dup(machine.fd));
	machine.irq.alloc[SOURCE / 8] = VECTOR << SOURCE % 8 * 4;
	*state = &machine;
	return machine.fd < 0;
}

static int teardown(void **state)
{
	struct machine *machine = *state;

	irq_release(&machine->irq);
	close(machine->fd);
	return 0;
}

/* How many interrupts came since the last look. */
static uint64_t interrupts(struct machine *machine)
{
	uint64_t count;

	return read(machine->fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static void test_fires_when_enabled(void **state)
{
	struct machine *machine = *state;

	irq_raise(&machine->irq, SOURCE);
	assert_int_equal(interrupts(machine), 0);
	assert_int_equal(irq_status(&machine->irq, 0), BIT);
	irq_set_mask(&machine->irq, BIT); /* 0 -> 1 with the status set */
	assert_int_equal(interrupts(machine), 1);
	irq_set_mask(&machine->irq, BIT);
	assert_int_equal(interrupts(machine), 0);
	irq_clear(&machine->irq, 0, BIT);
	assert_int_equal(irq_status(&machine->irq, 0), 0);
	irq_raise(&machine->irq, SOURCE);
	assert_int_equal(interrupts(machine), 1);
}

/* Network polling: masked, completions, unmasked: the interrupt must come. */
static void test_unmasking_fires_again(void **state)
{
	struct machine *machine = *state;

	irq_set_mask(&machine->irq, BIT);
	irq_raise(&machine->irq, SOURCE);
	assert_int_equal(interrupts(machine), 1);
	irq_clear(&machine->irq, 0, BIT);
	irq_set_mask(&machine->irq, 0);
	irq_raise(&machine->irq, SOURCE);
	assert_int_equal(interrupts(machine), 0);
	irq_set_mask(&machine->irq, BIT);
	assert_int_equal(interrupts(machine), 1);
}

/* A clear that was posted before a completion must not swallow it. */
static void test_late_clear_loses_nothing(void **state)
{
	struct machine *machine = *state;

	irq_set_mask(&machine->irq, BIT);
	irq_raise(&machine->irq, SOURCE);
	irq_raise(&machine->irq, SOURCE); /* after the machine looked, before its clear arrives */
	irq_raise(&machine->irq, SOURCE);
	assert_int_equal(interrupts(machine), 1);
	irq_clear(&machine->irq, 0, BIT);
	assert_int_equal(interrupts(machine), 1);
	assert_int_equal(irq_status(&machine->irq, 0), BIT);
	irq_clear(&machine->irq, 0, BIT);
	assert_int_equal(interrupts(machine), 0);
	assert_int_equal(irq_status(&machine->irq, 0), 0);
}

static void test_clear_touches_only_its_bits(void **state)
{
	struct machine *machine = *state;

	irq_raise(&machine->irq, SOURCE);
	irq_raise(&machine->irq, IRQ_TX(3));
	irq_raise(&machine->irq, IRQ_OVERRUN(2));
	irq_clear(&machine->irq, 0, 1u << IRQ_TX(3));
	assert_int_equal(irq_status(&machine->irq, 0), BIT);
	assert_int_equal(irq_status(&machine->irq, 1), 1 << 2);
	irq_clear(&machine->irq, 1, UINT32_MAX);
	assert_int_equal(irq_status(&machine->irq, 1), 0);
	assert_int_equal(irq_status(&machine->irq, 0), BIT);
}

static void test_overrun_never_fires(void **state)
{
	struct machine *machine = *state;

	irq_set_mask(&machine->irq, UINT32_MAX);
	for (unsigned int ring = 0; ring < IRQ_RINGS; ring++)
		irq_raise(&machine->irq, IRQ_OVERRUN(ring));
	assert_int_equal(interrupts(machine), 0);
}

/* The machine takes eventfds away and gives others while vectors are set up. */
static void test_without_eventfd_waits(void **state)
{
	struct machine *machine = *state;

	irq_set_fd(&machine->irq, VECTOR, -1);
	irq_set_mask(&machine->irq, BIT);
	irq_raise(&machine->irq, SOURCE);
	irq_set_fd(&machine->irq, VECTOR, dup(machine->fd));
	assert_int_equal(interrupts(machine), 1);
	irq_set_fd(&machine->irq, VECTOR, dup(machine->fd));
	assert_int_equal(interrupts(machine), 0);
}

static void test_vector_of_source(void **state)
{
	struct machine *machine = *state;

	irq_set_mask(&machine->irq, UINT32_MAX);
	irq_raise(&machine->irq, IRQ_RX(2)); /* vector 0: somebody else's */
	assert_int_equal(interrupts(machine), 0);
	machine->irq.alloc[3] = VECTOR << 28;
	irq_raise(&machine->irq, IRQ_RX(15));
	assert_int_equal(interrupts(machine), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fires_when_enabled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unmasking_fires_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_clear_loses_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clear_touches_only_its_bits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overrun_never_fires, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_eventfd_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vector_of_source, setup, teardown),
	};

	return cmocka_run_group_tests_name("irq", tests, NULL, NULL);
}
