/* SPDX-License-Identifier: ISC */
#include "list/notice.h"

#include "base/check.h"
#include "list/notice_text.h"

#define BIT(word) (1U << (word))
#define DECIDE (BIT(WORD_ADDRESS) | BIT(WORD_ACCEPT) | BIT(WORD_REJECT))

static const struct notice_traits traits[NOTICE_KINDS] = {
        [NOTICE_CONFIRM_JOIN] = {{"confirm-join", 12}, ROUTE_REQUEST, ROUTE_CONFIRM, NOTICE_TOKEN_CONFIRM,
                true, BIT(WORD_ADDRESS) | BIT(WORD_CONFIRM), BIT(WORD_CONFIRM)},
        [NOTICE_CONFIRM_CHANGE] = {{"confirm-change", 14}, ROUTE_REQUEST, ROUTE_CONFIRM, NOTICE_TOKEN_CONFIRM,
                true, BIT(WORD_CONFIRM) | BIT(WORD_COMMANDS), BIT(WORD_CONFIRM) | BIT(WORD_COMMANDS)},
        [NOTICE_WELCOME] = {{"welcome", 7}, ROUTE_OWNER, ROUTE_NONE, NOTICE_TOKEN_NONE, false,
                BIT(WORD_ADDRESS), 0},
        [NOTICE_GOODBYE] = {{"goodbye", 7}, ROUTE_OWNER, ROUTE_NONE, NOTICE_TOKEN_NONE, true,
                BIT(WORD_ADDRESS), 0},
        [NOTICE_ALREADY_MEMBER] = {{"already-member", 14}, ROUTE_OWNER, ROUTE_NONE, NOTICE_TOKEN_NONE, true,
                BIT(WORD_ADDRESS), 0},
        [NOTICE_NOT_MEMBER] = {{"not-member", 10}, ROUTE_OWNER, ROUTE_NONE, NOTICE_TOKEN_NONE, true,
                BIT(WORD_ADDRESS), 0},
        [NOTICE_JOIN_REFUSED] = {{"join-refused", 12}, ROUTE_OWNER, ROUTE_NONE, NOTICE_TOKEN_NONE, false,
                BIT(WORD_ADDRESS), 0},
        [NOTICE_JOIN_WAITS] = {{"join-waits", 10}, ROUTE_REQUEST, ROUTE_OWNER, NOTICE_TOKEN_DECIDE, false,
                DECIDE, DECIDE},
        [NOTICE_POST_WAITS] = {{"post-waits", 10}, ROUTE_REQUEST, ROUTE_OWNER, NOTICE_TOKEN_DECIDE, false,
                DECIDE, DECIDE},
        [NOTICE_POST_REJECTED] = {{"post-rejected", 13}, ROUTE_OWNER, ROUTE_NONE, NOTICE_TOKEN_NONE, true, 0,
                0},
        [NOTICE_POST_EXPIRED] = {{"post-expired", 12}, ROUTE_OWNER, ROUTE_NONE, NOTICE_TOKEN_NONE, true, 0,
                0},
        [NOTICE_POST_ACCEPTED] = {{"post-accepted", 13}, ROUTE_OWNER, ROUTE_NONE, NOTICE_TOKEN_NONE, true, 0,
                0},
        [NOTICE_SETTINGS] = {{"settings", 8}, ROUTE_SETTINGS, ROUTE_NONE, NOTICE_TOKEN_NONE, true,
                BIT(WORD_OUTCOMES) | BIT(WORD_VALUES), BIT(WORD_OUTCOMES) | BIT(WORD_VALUES)},
        [NOTICE_SETTINGS_CHANGED] = {{"settings-changed", 16}, ROUTE_SETTINGS, ROUTE_OWNER, NOTICE_TOKEN_NONE,
                false, BIT(WORD_ADDRESS) | BIT(WORD_CHANGES), BIT(WORD_CHANGES)},
        [NOTICE_OPTIONS] = {{"options", 7}, ROUTE_OPTIONS, ROUTE_NONE, NOTICE_TOKEN_NONE, true,
                BIT(WORD_ADDRESS) | BIT(WORD_OUTCOMES) | BIT(WORD_VALUES),
                BIT(WORD_OUTCOMES) | BIT(WORD_VALUES)},
        [NOTICE_HELP] = {{"help", 4}, ROUTE_REQUEST, ROUTE_NONE, NOTICE_TOKEN_NONE, true, 0, 0},
        [NOTICE_MEMBERS] = {{"members", 7}, ROUTE_OWNER, ROUTE_NONE, NOTICE_TOKEN_NONE, true, BIT(WORD_LINES),
                BIT(WORD_LINES)},
        [NOTICE_OUTCOME] = {{"outcome", 7}, ROUTE_REQUEST, ROUTE_NONE, NOTICE_TOKEN_NONE, true,
                BIT(WORD_OUTCOMES), BIT(WORD_OUTCOMES)},
        [NOTICE_WHY] = {{"why", 3}, ROUTE_WHY, ROUTE_NONE, NOTICE_TOKEN_NONE, true,
                BIT(WORD_MESSAGE) | BIT(WORD_LINES), BIT(WORD_LINES)},
        [NOTICE_FAREWELL_REMOVED] = {{"farewell-removed", 16}, ROUTE_OWNER, ROUTE_NONE, NOTICE_TOKEN_NONE,
                false, BIT(WORD_ADDRESS), 0},
        [NOTICE_REQUEST_DECIDED] = {{"request-decided", 15}, ROUTE_REQUEST, ROUTE_OWNER, NOTICE_TOKEN_NONE,
                true, 0, 0},
        [NOTICE_PROBE] = {{"probe", 5}, ROUTE_OWNER, ROUTE_NONE, NOTICE_TOKEN_NONE, false, BIT(WORD_ADDRESS),
                0},
        [NOTICE_FAREWELL_BOUNCED] = {{"farewell-bounced", 16}, ROUTE_OWNER, ROUTE_NONE, NOTICE_TOKEN_NONE,
                false, BIT(WORD_ADDRESS), 0},
        [NOTICE_REMOVED_OWNER] = {{"removed-owner", 13}, ROUTE_REQUEST, ROUTE_OWNER, NOTICE_TOKEN_NONE, false,
                BIT(WORD_ADDRESS) | BIT(WORD_LINES), BIT(WORD_ADDRESS)},
        [NOTICE_BREAKER] = {{"breaker", 7}, ROUTE_REQUEST, ROUTE_OWNER, NOTICE_TOKEN_NONE, false,
                BIT(WORD_ADDRESS) | BIT(WORD_LINES), BIT(WORD_ADDRESS)},
        [NOTICE_DIGEST] = {{"digest", 6}, ROUTE_REQUEST, ROUTE_OWNER, NOTICE_TOKEN_NONE, false,
                BIT(WORD_LINES), BIT(WORD_LINES)},
        [NOTICE_REPORT] = {{"report", 6}, ROUTE_REQUEST, ROUTE_OWNER, NOTICE_TOKEN_NONE, false,
                BIT(WORD_LINES), BIT(WORD_LINES)},
};

const struct notice_traits *notice_traits_of(enum notice_kind kind)
{
        CHECK(kind < NOTICE_KINDS);
        return &traits[kind];
}

struct str notice_kind_name(enum notice_kind kind)
{
        return notice_traits_of(kind)->name;
}

enum notice_kind notice_kind_of(struct str name)
{
        unsigned kind = 0;
        while (kind < NOTICE_KINDS && !str_eq(traits[kind].name, name))
                kind++;
        return (enum notice_kind)kind;
}

enum notice_token notice_needs_token(enum notice_kind kind)
{
        return notice_traits_of(kind)->token;
}

/* In the order of enum notice_word. */
static const char *const words[NOTICE_WORDS] = {"list", "name", "description", "days", "subscribe",
        "unsubscribe", "subscribers", "options", "settings", "help", "request", "owner", "why", "address",
        "confirm", "accept", "reject", "message", "commands", "outcomes", "changes", "values", "lines"};

struct str notice_word_name(enum notice_word word)
{
        CHECK(word < NOTICE_WORDS);
        return str_of_c(words[word]);
}

enum notice_word notice_word_of(struct str name)
{
        unsigned word = 0;
        while (word < NOTICE_WORDS && !str_eq(str_of_c(words[word]), name))
                word++;
        return (enum notice_word)word;
}

const struct notice_phrases *notice_phrases_of(struct str language)
{
        return str_eq(language, str_of_c(notice_french.language)) ? &notice_french : &notice_english;
}
