/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "tests/sim/scenario_inside.h"

/* A node's `choices` are the verbs that may have declared it; NULL is any. */
/* clang-format off */
#define DNS_FAULTS_TEXT \
        "delay,drop,servfail,refused,notauth,truncate,no-edns,no-tcp,wrong-address,wrong-text,no-name,wrong-id," \
        "other-name,lost-answer,deaf,clock"
#define FORGERIES \
        "forged-from,forged-moderator,borrowed-sender,spf-elsewhere,dkim-elsewhere,stolen-signature,replayed-letter," \
        "two-from,two-authors,forged-results,forged-own"
#define TEMPERS \
        {"greylist", DURATION}, {"per-connection", COUNT}, {"per-hour", COUNT}, {"per-minute", COUNT}, \
        {"connections", COUNT}, {"storm", COUNT}, {"refused-users", TEXT}, {"full-users", TEXT}, {"lost-users", TEXT}, \
        {"blocks", CHOICE, "yes,no"}, {"banner-delay", DURATION}, {"read-rate", COUNT}, {"drop-before", COUNT}, \
        {"drop-after", COUNT}, {"close-after", COUNT}, {"recipients", COUNT}, {"refuse", CHOICE, "yes,no"}, \
        {"pipelining", CHOICE, "yes,no"}, {"chunking", CHOICE, "yes,no"}, {"ehlo", CHOICE, "yes,no"}, {"bounce", COUNT}, \
        {"chatter", COUNT}, {"forged-bounces", COUNT}, {"bounce-delay", DURATION}

static const struct rule rules[] = {
        {"seed", VERB_SEED, false, {{"N", COUNT}}, {{0}}},
        {"end", VERB_END, false, {{"T", DURATION}}, {{0}}},
        {"primary", VERB_PRIMARY, false, {{"NAME", NEW_NODE}}, {{"of", DOMAINS}}},
        {"secondary", VERB_SECONDARY, false, {{"NAME", NEW_NODE}}, {{"least", DURATION}, {"most", DURATION}}},
        {"resolver", VERB_RESOLVER, false, {{"NAME", NEW_NODE}}, {{0}}},
        {"domain", VERB_DOMAIN, false, {{"DOMAIN", NEW_DOMAIN}}, {{0}}},
        {"signer", VERB_SIGNER, false, {{"NAME", NEW_NODE}},
                {{"validity", DURATION}, {"overlap", DURATION}, {"queue-life", DURATION}, {"ttl", DURATION}}},
        {"lipap", VERB_LIPAP, false, {{"NAME", NEW_NODE}},
                {{"image", SIZE}, {"retry", DURATION}, {"max-message", SIZE}, {"admin", EMAIL}}},
        {"list", VERB_LIST, false, {{"LIST", NEW_LIST}},
                {{"moderator", EMAILS}, {"posting", CHOICE, "subscribers,open,moderated,announce"},
                {"subscription", CHOICE, "moderated,confirm,open,closed"}, {"first-post", CHOICE, "free,moderated"},
                {"who", CHOICE, "subscribers,moderators,nobody"}, {"language", CHOICE, "en,fr"},
                {"from", CHOICE, "auto,rewrite,keep"}, {"reply-to", CHOICE, "author,list,both"}, {"subject-prefix", TEXT},
                {"footer", TEXT}, {"duplicates", CHOICE, "send,skip"}, {"description", TEXT}, {"max-message", SIZE}}},
        {"member", VERB_MEMBER, false, {{"LIST", LIST}, {"EMAIL", EMAIL}}, {{"times", COUNT}}},
        {"mailhost", VERB_MAILHOST, false, {{"NAME", NEW_NODE}, {"DOMAINS", DOMAINS}}, {TEMPERS}},
        {"author", VERB_AUTHOR, false, {{"NAME", NEW_NODE}, {"EMAIL", EMAIL}},
                {{"mood", CHOICE, "good,slow,broken,malicious"}, {"proof", CHOICE, "spf,dkim,both,none"},
                {"policy", CHOICE, "none,quarantine,reject,absent"}, {"key", CHOICE, "rsa,ed25519"},
                {"answers", CHOICE, "no,confirm,accept,reject"}}},
        {"DNS:", VERB_DNS, false, {{"NAME", TEXT}, {"TYPE", TYPE}, {"DATA", TEXT}}, {{0}}},
        {"zone", VERB_ZONE, false, {{"DOMAIN", NEW_DOMAIN}}, {{0}}},
        {"TIME", VERB_TIME, false, {{"+T", SIGNED}}, {{0}}},
        {"post", VERB_POST, false, {{"AUTHOR", NODE, "author"}, {"LISTS", TEXT}},
                {{"size", SIZE}, {"name", TEXT}, {"cc", EMAIL}, {"act", CHOICE, FORGERIES}, {"victim", EMAIL}}},
        {"mail", VERB_MAIL, false, {{"AUTHOR", NODE, "author"}, {"ROUTE", TEXT}},
                {{"name", TEXT}, {"subject", TEXT}, {"text", TEXT}, {"from", TEXT}, {"sender", TEXT}, {"front", TEXT},
                {"signed", CHOICE, "yes,no"}, {"token", TEXT}, {"of", EMAIL}, {"about", TEXT}, {"older", COUNT},
                {"times", COUNT}}},
        {"join", VERB_JOIN, false, {{"LIST", LIST}, {"EMAIL", EMAIL}}, {{0}}},
        {"leave", VERB_LEAVE, false, {{"LIST", LIST}, {"EMAIL", EMAIL}}, {{0}}},
        {"stop", VERB_STOP, false, {{"NODE", NODE, "lipap,signer"}}, {{"back", DURATION}}},
        {"kill", VERB_KILL, false, {{"NODE", NODE, "lipap,signer"}, {"HOW", CHOICE, "process,power"}},
                {{"back", DURATION}, {"call", COUNT}, {"when", CHOICE, "before,after"}}},
        {"clock", VERB_CLOCK, false, {{"NODE", NODE}, {"AHEAD", SIGNED}}, {{0}}},
        {"partition", VERB_PARTITION, false, {{"NODES", NODE}}, {{"for", DURATION}}},
        {"down", VERB_DOWN, false, {{"FROM", PEER}, {"TO", PEER}}, {{"for", DURATION}}},
        {"cut", VERB_CUT, false, {{"FROM", PEER}, {"TO", PEER}},
                {{"at", COUNT}, {"how", CHOICE, "reset,silence,half,any"}}},
        {"link", VERB_LINK, false, {{"FROM", PEER}, {"TO", PEER}},
                {{"for", DURATION}, {"latency", DURATION}, {"jitter", DURATION}, {"loss", COUNT}, {"cut", COUNT},
                {"within", SIZE}, {"rate", SIZE}, {"window", SIZE}, {"udp-loss", COUNT}, {"refuse", CHOICE, "yes,no"}}},
        {"disk", VERB_DISK, false,
                {{"NODE", NODE, "lipap"}, {"FAULT", CHOICE, "write-error,flush-error,slow"}},
                {{"after", COUNT}, {"by", DURATION}, {"for", DURATION}}},
        {"temper", VERB_TEMPER, false, {{"NODE", NODE, "mailhost"}}, {TEMPERS, {"for", DURATION}}},
        {"fault", VERB_FAULT, false, {{"NODE", NODE, "primary,secondary,resolver"}, {"FAULT", CHOICE, DNS_FAULTS_TEXT}},
                {{"for", DURATION}, {"by", DURATION}, {"chance", COUNT}}},
        {"lag", VERB_LAG, false, {{"NODE", NODE, "secondary"}}, {{"least", DURATION}, {"most", DURATION}}},
        {"edit", VERB_EDIT, false, {{"NAME", TEXT}, {"TYPE", TYPE}, {"DATA", TEXT}}, {{0}}},
        {"erase", VERB_ERASE, false, {{"NAME", TEXT}, {"TYPE", TYPE}}, {{0}}},
        {"restore", VERB_RESTORE, false, {{"DOMAIN", DOMAIN}}, {{"ago", DURATION}}},
        {"session", VERB_SESSION, false, {{"FROM", NODE}, {"TO", NODE}}, {{0}}},
        {"C:", VERB_CLIENT, true, {{0}}, {{0}}},
        {"S:", VERB_SERVER, true, {{0}}, {{0}}},
        {"expect", VERB_EXPECT, false,
                {{"WHAT", CHOICE, "delivered,waiting,accepted,refused,deferred,received,nothing,log,image,member,stranger,told,untold,at-most"}, {"[OF", TEXT},
                {"[BY", TEXT}}, {{"within", DURATION}}},
};
/* clang-format on */

#define RULES (sizeof rules / sizeof rules[0])

const struct rule *scenario_rule(enum verb verb)
{
        for (size_t i = 0; i < RULES; i++)
                if (rules[i].is == verb)
                        return &rules[i];
        return NULL;
}

const struct rule *scenario_rule_named(struct str word)
{
        for (size_t i = 0; i < RULES; i++)
                if (str_eq(word, str_of_c(rules[i].verb)))
                        return &rules[i];
        return NULL;
}
