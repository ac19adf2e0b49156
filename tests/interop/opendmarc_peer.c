/* SPDX-License-Identifier: ISC */
/* libopendmarc as a peer of deliverability.py. On standard input, a line a message, its words parted by spaces:
 *   FROM-DOMAIN ORGANIZATION PASSED... | RECORD
 * the domains whose signatures passed, and the DMARC record that stands at _dmarc.ORGANIZATION; "-" for none. Prints one of
 * pass, none, fail (p=none), quarantine, reject, or "error" and a number. */
#include <sys/types.h>

#include <opendmarc/dmarc.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 4096

/* The next word of the line; NULL when there is none. */
static u_char *word(char **rest)
{
        char *start = *rest + strspn(*rest, " "), *end = start + strcspn(start, " ");
        *rest = *end ? end + 1 : end;
        *end = '\0';
        return end > start ? (u_char *)start : NULL;
}

static const char *judge(DMARC_POLICY_T *policy, char *head, char *record)
{
        u_char *from = word(&head), *organization = word(&head);
        if (!from || !organization)
                return "error 0";
        opendmarc_policy_store_from_domain(policy, from);
        for (u_char *domain; (domain = word(&head));)
                opendmarc_policy_store_dkim(policy, domain, NULL, DMARC_POLICY_DKIM_OUTCOME_PASS, NULL);
        if (strcmp(record, "-") == 0)
                return "none";
        if (opendmarc_policy_store_dmarc(policy, (u_char *)record, from, organization) != DMARC_PARSE_OKAY)
                return "error 1";
        switch (opendmarc_get_policy_to_enforce(policy)) {
        case DMARC_POLICY_PASS:
                return "pass";
        case DMARC_POLICY_NONE:
                return "fail";
        case DMARC_POLICY_QUARANTINE:
                return "quarantine";
        case DMARC_POLICY_REJECT:
                return "reject";
        default:
                return "error 2";
        }
}

int main(void)
{
        OPENDMARC_LIB_T lib = {.tld_type = OPENDMARC_TLD_TYPE_NONE};
        char line[LINE_SIZE];
        if (opendmarc_policy_library_init(&lib) != DMARC_PARSE_OKAY)
                return 1;
        while (fgets(line, sizeof line, stdin)) {
                char *bar = strstr(line, " | ");
                DMARC_POLICY_T *policy =
                        opendmarc_policy_connect_init((u_char *)"192.0.2.9", DMARC_POLICY_IP_TYPE_IPV4);
                if (!bar || !policy)
                        return 1;
                *bar = '\0';
                bar[3 + strcspn(bar + 3, "\n")] = '\0';
                puts(judge(policy, line, bar + 3));
                fflush(stdout);
                opendmarc_policy_connect_shutdown(policy);
        }
        opendmarc_policy_library_shutdown(&lib);
        return 0;
}
