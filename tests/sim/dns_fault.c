/* SPDX-License-Identifier: ISC */
#include "base/check.h"
#include "tests/sim/dns_peer.h"

static const char *const names[DNS_FAULTS] = {
        [DNS_FAULT_DELAY] = "delay",
        [DNS_FAULT_DROP] = "drop",
        [DNS_FAULT_SERVFAIL] = "servfail",
        [DNS_FAULT_REFUSED] = "refused",
        [DNS_FAULT_NOTAUTH] = "notauth",
        [DNS_FAULT_TRUNCATE] = "truncate",
        [DNS_FAULT_NO_EDNS] = "no-edns",
        [DNS_FAULT_NO_TCP] = "no-tcp",
        [DNS_FAULT_WRONG_ADDRESS] = "wrong-address",
        [DNS_FAULT_WRONG_TEXT] = "wrong-text",
        [DNS_FAULT_NO_NAME] = "no-name",
        [DNS_FAULT_WRONG_ID] = "wrong-id",
        [DNS_FAULT_OTHER_NAME] = "other-name",
        [DNS_FAULT_LOST_ANSWER] = "lost-answer",
        [DNS_FAULT_DEAF] = "deaf",
        [DNS_FAULT_CLOCK] = "clock",
};

struct str dns_fault_text(enum dns_fault fault)
{
        CHECK((unsigned)fault < DNS_FAULTS);
        return str_of_c(names[fault]);
}

enum err dns_fault_parse(struct str text, enum dns_fault *out)
{
        for (unsigned i = 0; i < DNS_FAULTS; i++)
                if (str_eq(text, str_of_c(names[i]))) {
                        *out = (enum dns_fault)i;
                        return ERR_OK;
                }
        *out = DNS_FAULTS;
        return ERR_NOT_FOUND;
}

void dns_peer_fault(struct dns_peer *p, enum dns_fault fault, uint32_t ppm, int64_t value)
{
        CHECK((unsigned)fault < DNS_FAULTS && ppm <= SIM_PPM);
        p->faults[fault] = (struct dns_fault_setting){ppm, ppm > 0 ? value : 0};
        sim_trace(p->world->sim, p->node, "dns", "fault %s ppm=%u value=%lld", names[fault], (unsigned)ppm,
                (long long)value);
}

void dns_peer_faults_clear(struct dns_peer *p)
{
        for (unsigned i = 0; i < DNS_FAULTS; i++)
                if (p->faults[i].ppm > 0)
                        dns_peer_fault(p, (enum dns_fault)i, 0, 0);
}

void dns_faults_draw(struct dns_peer *p, struct dns_faults *out)
{
        for (unsigned i = 0; i < DNS_FAULTS; i++)
                out->hits[i] = sim_random_chance(&p->random, p->faults[i].ppm);
}
