/* SPDX-License-Identifier: ISC */
/* Clocks of a PC: the processor's counter, measured against the interval timer; the battery clock for the time of day;
 * the processor's own timer to wake it from rest. */
#include <stddef.h>

#include "host/guest/machine.h"
#include "host/guest/x86/layout.h"
#include "host/guest/x86/x86.h"
#include "host/virtio/port.h"
#include "host/virtio/virtio.h"

/* The interval timer (8254), channel 0, read while it runs: microvm has no port for the gate of channel 2. */
enum { TIMER_COUNT = 0x40, TIMER_CONTROL = 0x43, TIMER_HZ = 1193182, TIMER_MEASURE = TIMER_HZ / 100 };
enum { CLOCK_INDEX = 0x70, CLOCK_DATA = 0x71, CLOCK_A = 10, CLOCK_B = 11 };
enum { PIC_MASK = 0x21, PIC2_MASK = 0xa1 };
enum {
        APIC_SPURIOUS = 0xf0,
        APIC_TIMER = 0x320,
        APIC_LINE0 = 0x350,
        APIC_LINE1 = 0x360,
        APIC_COUNT = 0x380,
        APIC_LEFT = 0x390,
        APIC_DIVIDE = 0x3e0,
        APIC_MASKED = 0x10000
};

#define TRIES 100000000
#define MS 1000000
#define AWAKE_NS (200 * (uint64_t)1000) /* after the last frame or block */
#define NAP_NS ((uint64_t)MS / 2)       /* while it is quiet; nobody wakes us for a frame */
#define LONG_NAP_NS (2 * (uint64_t)MS)  /* after a while of that */
#define QUIET_NS (100 * (uint64_t)MS)

static uint64_t ns_per_tick; /* in 2^-32 */
static uint64_t naps_per_ms; /* ticks of the processor's timer */
static uint64_t active_ns;
static uint64_t wall_base_ns; /* wall clock minus ours */

static uint64_t ticks(void)
{
        uint32_t low, high;
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        return (uint64_t)high << 32 | low;
}

static volatile uint32_t *apic(uint32_t at)
{
        return (volatile uint32_t *)(uintptr_t)(APIC + at);
}

static uint16_t timer_count(void)
{
        port_write8(TIMER_CONTROL, 0); /* latch */
        uint16_t low = port_read8(TIMER_COUNT);
        return (uint16_t)(low | port_read8(TIMER_COUNT) << 8);
}

static bool measure_ticks(void)
{
        port_write8(TIMER_CONTROL, 0x34); /* channel 0, counts down from 65536 again and again */
        port_write8(TIMER_COUNT, 0);
        port_write8(TIMER_COUNT, 0);
        uint16_t first = timer_count(), gone = 0;
        uint64_t start = ticks();
        for (unsigned i = 0; i < TRIES && gone < TIMER_MEASURE; i++)
                gone = (uint16_t)(first - timer_count());
        uint64_t hz = gone < TIMER_MEASURE ? 0 : (ticks() - start) * TIMER_HZ / gone;
        if (hz < MS)
                return false;
        ns_per_tick = ((uint64_t)1000 * MS << 32) / hz;
        return true;
}

static void measure_naps(void)
{
        *apic(APIC_DIVIDE) = 11; /* by 1 */
        *apic(APIC_TIMER) = APIC_MASKED | TIMER;
        *apic(APIC_COUNT) = UINT32_MAX;
        for (uint64_t end = machine_now_ns() + MS; machine_now_ns() < end;)
                ;
        naps_per_ms = UINT32_MAX - *apic(APIC_LEFT);
        *apic(APIC_COUNT) = 0;
        *apic(APIC_TIMER) = TIMER;
}

bool time_init(void)
{
        ports_allow(TIMER_COUNT, TIMER_CONTROL);
        ports_allow(CLOCK_INDEX, CLOCK_DATA);
        ports_allow(PIC_MASK, PIC_MASK);
        ports_allow(PIC2_MASK, PIC2_MASK);
        tables_device(APIC);
        port_write8(PIC_MASK, 0xff);
        port_write8(PIC2_MASK, 0xff);
        *apic(APIC_LINE0) = APIC_MASKED;
        *apic(APIC_LINE1) = APIC_MASKED;
        *apic(APIC_SPURIOUS) = 0x100 | TIMER;
        if (!measure_ticks())
                return false;
        measure_naps();
        return naps_per_ms > 0;
}

void time_active(void)
{
        active_ns = machine_now_ns();
}

uint64_t machine_now_ns(void)
{
        return (uint64_t)(((unsigned __int128)ticks() * ns_per_tick) >> 32);
}

static unsigned clock_read(uint8_t at)
{
        port_write8(CLOCK_INDEX, at);
        return port_read8(CLOCK_DATA);
}

/* Days from 1970 to the first day of a year, by the Gregorian rule. */
static int64_t days_to(int64_t year)
{
        int64_t y = year - 1; /* leap days before it: from the year 1 on */
        return year * 365 + y / 4 - y / 100 + y / 400 - 719527;
}

struct date {
        unsigned second, minute, hour, day, month, year;
};

static struct date clock_date(void)
{
        struct date d;
        for (unsigned i = 0; i < TRIES && (clock_read(CLOCK_A) & 0x80) != 0; i++)
                ; /* it is being set */
        d.second = clock_read(0);
        d.minute = clock_read(2);
        d.hour = clock_read(4);
        d.day = clock_read(7);
        d.month = clock_read(8);
        d.year = clock_read(9);
        return d;
}

static unsigned decimal(unsigned v)
{
        return (v >> 4) * 10 + (v & 15);
}

static bool is_same(const struct date *a, const struct date *b)
{
        return a->second == b->second && a->minute == b->minute && a->hour == b->hour && a->day == b->day &&
               a->month == b->month && a->year == b->year;
}

/* Whole seconds since 1970, in a century of its own: years 2000 to 2099. */
static int64_t clock_s(void)
{
        static const uint16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
        struct date d, again;
        do {
                d = clock_date();
                again = clock_date();
        } while (!is_same(&d, &again));
        unsigned mode = clock_read(CLOCK_B);
        bool is_afternoon = (mode & 2) == 0 && (d.hour & 0x80) != 0;
        d.hour &= 0x7f;
        if ((mode & 4) == 0)
                d = (struct date){decimal(d.second), decimal(d.minute), decimal(d.hour), decimal(d.day),
                        decimal(d.month), decimal(d.year)};
        if ((mode & 2) == 0)
                d.hour = d.hour % 12 + (is_afternoon ? 12 : 0);
        int64_t year = 2000 + (int64_t)d.year;
        bool is_leap_over = d.year % 4 == 0 && d.month > 2;
        int64_t days = days_to(year) + before[(d.month - 1) % 12] + is_leap_over + (int64_t)d.day - 1;
        return ((days * 24 + d.hour) * 60 + d.minute) * 60 + d.second;
}

/* That clock has whole seconds: ours is set by it only when it is out by more than one. */
uint64_t machine_wall_ns(void)
{
        uint64_t now_ns = machine_now_ns(), ours_ns = wall_base_ns + now_ns;
        uint64_t clock_ns = (uint64_t)clock_s() * 1000 * MS;
        if (ours_ns + (uint64_t)1000 * MS < clock_ns || ours_ns > clock_ns + (uint64_t)2000 * MS)
                wall_base_ns = clock_ns - now_ns;
        return wall_base_ns + now_ns;
}

void machine_wait(uint64_t until_ns)
{
        uint64_t now_ns;
        while (!net_waiting() && (now_ns = machine_now_ns()) < until_ns) {
                if (now_ns - active_ns < AWAKE_NS) {
                        __asm__ volatile("pause");
                        continue;
                }
                uint64_t nap_ns = now_ns - active_ns < QUIET_NS ? NAP_NS : LONG_NAP_NS;
                nap_ns = until_ns - now_ns < nap_ns ? until_ns - now_ns : nap_ns;
                uint64_t count = nap_ns * naps_per_ms / MS;
                *apic(APIC_COUNT) = count > 0 ? (uint32_t)count : 1;
                (void)ring0_ask(SERVICE_HALT, NULL);
        }
}
