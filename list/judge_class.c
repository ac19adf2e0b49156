/* SPDX-License-Identifier: ISC */
/* What class a failure is of: words first, for large providers give codes of their own liking; then the enhanced status
 * (RFC 3463), then the SMTP code. */
#include "base/ascii.h"
#include "list/judge.h"

static const struct str names[JUDGE_CLASSES] = {
        [JUDGE_ADDRESS] = {"address", 7},
        [JUDGE_FULL] = {"full", 4},
        [JUDGE_SYSTEM] = {"system", 6},
        [JUDGE_MESSAGE] = {"message", 7},
        [JUDGE_POLICY] = {"policy", 6},
};

struct str judge_class_name(enum judge_class c)
{
        return c < JUDGE_CLASSES ? names[c] : S("");
}

bool judge_class_counts(enum judge_class c)
{
        return c == JUDGE_ADDRESS || c == JUDGE_FULL || c == JUDGE_SYSTEM;
}

struct phrase {
        const char *words;
        enum judge_class class;
        const char *status; /* only with this one; NULL: with any */
};

/* What is said clearly, whatever code stands beside it. The first that fits decides. */
static const struct phrase clear[] = {
        {"recipient address rejected: access denied", JUDGE_ADDRESS,
                "5.4.1"},                                  /* Microsoft: not in its directory */
        {"this user doesn't have a", JUDGE_ADDRESS, NULL}, /* Yahoo: "554 delivery error: dd ..." */
        {"mailbox unavailable", JUDGE_ADDRESS, "5.5.0"},   /* Outlook.com */
        {"receiving mail at a rate", JUDGE_POLICY, NULL},  /* Gmail, as 5.2.1 */
        {"receiving mail too quickly", JUDGE_POLICY, NULL},
        {"mailing list expansion problem", JUDGE_ADDRESS, NULL}, /* OpenSMTPD: no such virtual user */
        {"relay access denied", JUDGE_SYSTEM, NULL},             /* that host does not know the domain */
        {"relay not permitted", JUDGE_SYSTEM, NULL},
        {"relaying denied", JUDGE_SYSTEM, NULL},
        {"unable to relay", JUDGE_SYSTEM, NULL},
        {"we do not relay", JUDGE_SYSTEM, NULL},
};

/* Words about us. A "*" at the end: any letters may follow. */
static const char *const policy_words[] = {"spam*", "antispam", "unsolicited", "blocked", "block list",
        "blocklist*", "blacklist*", "black list", "denylist*", "banned", "rbl*", "dnsbl*", "spamhaus",
        "spamcop", "barracuda*", "reputation", "policy", "policies", "dmarc", "spf", "dkim", "authenticat*",
        "unauthenticated", "reverse dns", "ptr", "rdns", "fcrdns", "greylist*", "graylist*", "rate limit*",
        "too many", "abuse", "suspicious", "phishing", "virus", "malware", "administrative prohibition",
        "access denied", "sender verify failed", "sender rejected", "sender address rejected",
        "sender denied", "sender domain", "domain of sender", "invalid sender", "bad sender", "helo"};

/* Words about the mailbox, where no status says more. */
static const char *const address_words[] = {"user unknown", "unknown user", "no such user",
        "no such recipient", "no such mailbox", "no such address", "no such person", "does not exist",
        "doesn't exist", "not exist", "mailbox not found", "user not found", "recipient not found",
        "address not found", "unknown recipient", "recipient unknown", "unknown address", "invalid recipient",
        "invalid mailbox", "invalid address", "account disabled", "account is disabled", "mailbox disabled",
        "account has been disabled", "user disabled", "account closed", "mailbox unavailable",
        "no mailbox here", "not our customer"};
static const char *const full_words[] = {"over quota", "quota exceeded", "overquota", "exceeded storage",
        "mailbox full", "mailbox is full", "exceeded quota", "out of storage"};
static const char *const size_words[] = {
        "too large", "too big", "message size", "size limit", "exceeds size"};

/* ---- words ---- */

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || ascii_is_control(c);
}

static bool is_word(char c)
{
        return ascii_is_alnum(c) || ascii_is_8bit(c);
}

/* The part of an address: what a stranger chose to be called says nothing. */
static bool is_in_address(struct str text, size_t at)
{
        size_t begin = at, end = at;
        while (begin > 0 && !is_space(text.p[begin - 1]))
                begin--;
        while (end < text.n && !is_space(text.p[end]))
                end++;
        struct str token = str_take(str_skip(text, begin), end - begin);
        return str_find_byte(token, '@') < token.n;
}

static bool has_word(struct str text, const char *word)
{
        struct str w = str_of_c(word);
        bool is_open = w.n > 0 && w.p[w.n - 1] == '*';
        w.n -= is_open;
        for (size_t at = 0; at + w.n <= text.n; at++) {
                size_t end = at + w.n;
                if (ascii_lower(text.p[at]) != w.p[0] || !str_eq_nocase(str_take(str_skip(text, at), w.n), w))
                        continue;
                if ((at > 0 && is_word(text.p[at - 1])) || (!is_open && end < text.n && is_word(text.p[end])))
                        continue;
                if (!is_in_address(text, at))
                        return true;
        }
        return false;
}

static bool has_any(struct str text, const char *const *words, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (has_word(text, words[i]))
                        return true;
        return false;
}
#define HAS_ANY(text, words) has_any(text, words, sizeof(words) / sizeof *(words))

/* ---- codes ---- */

struct status {
        unsigned class, subject, detail; /* class 0: none was said */
        struct str text;
};

/* Digits at the head, up to three. */
static bool take_number(struct str *s, unsigned *out)
{
        size_t n = 0;
        *out = 0;
        for (; n < 3 && n < s->n && ascii_is_digit(s->p[n]); n++)
                *out = *out * 10 + (unsigned)(s->p[n] - '0');
        *s = str_skip(*s, n);
        return n > 0;
}

static bool take_byte(struct str *s, char c)
{
        if (s->n == 0 || s->p[0] != c)
                return false;
        *s = str_skip(*s, 1);
        return true;
}

/* RFC 3463 2: class "." subject "." detail, and nothing that goes on. */
static bool read_status(struct str s, struct status *out)
{
        struct str rest = s;
        struct status v = {0};
        if (!take_number(&rest, &v.class) || !take_byte(&rest, '.') || !take_number(&rest, &v.subject) ||
                !take_byte(&rest, '.') || !take_number(&rest, &v.detail))
                return false;
        if ((v.class != 4 && v.class != 5) || (rest.n > 0 && (is_word(rest.p[0]) || rest.p[0] == '.')))
                return false;
        v.text = str_take(s, s.n - rest.n);
        *out = v;
        return true;
}

/* One that says nothing (X.0.0) gives way to one that does. */
static bool read_better(struct str token, struct status *status)
{
        bool is_open = status->class == 0 || (status->subject == 0 && status->detail == 0);
        return is_open && read_status(token, status);
}

static bool read_code(struct str token, unsigned *code)
{
        return token.n == 3 && take_number(&token, code) && token.n == 0 && *code >= 400 && *code < 600;
}

/* "550 5.1.1", "5.1.1 550", "550-5.1.1", "smtp; 550 #5.1.1": both stand at the head, if anywhere. */
static void read_head(struct str said, unsigned *code, struct status *status)
{
        for (int i = 0; i < 4 && said.n > 0; i++) {
                while (said.n > 0 && !ascii_is_digit(said.p[0]) && !ascii_is_alpha(said.p[0]))
                        said = str_skip(said, 1);
                size_t n = 0;
                while (n < said.n && (ascii_is_alnum(said.p[n]) || said.p[n] == '.'))
                        n++;
                struct str token = str_take(said, n);
                unsigned number;
                if (read_code(token, &number))
                        *code = *code == 0 ? number : *code;
                else if (!read_better(token, status) && !str_eq_nocase(token, S("smtp")))
                        return;
                said = str_skip(said, n);
        }
}

static enum judge_class of_status(const struct status *s)
{
        switch (s->subject) {
        case 1:
                return s->detail == 7 || s->detail == 8 ? JUDGE_POLICY
                                                        : JUDGE_ADDRESS; /* 7, 8: the sender's */
        case 2:
                return s->detail == 1   ? JUDGE_ADDRESS
                       : s->detail == 2 ? JUDGE_FULL
                       : s->detail == 3 ? JUDGE_MESSAGE
                                        : JUDGE_SYSTEM;
        case 3:
                return s->detail == 4 ? JUDGE_MESSAGE : JUDGE_SYSTEM;
        case 4:
                return JUDGE_SYSTEM;
        case 5:
        case 6:
                return JUDGE_MESSAGE;
        default:
                return JUDGE_POLICY;
        }
}

static enum judge_class of_code(unsigned code)
{
        if (code == 550 || code == 551 || code == 553 || code == 556)
                return JUDGE_ADDRESS;
        if (code == 552)
                return JUDGE_FULL;
        return code >= 500 && code < 550 ? JUDGE_MESSAGE : JUDGE_SYSTEM;
}

static bool find_clear(struct str said, const struct status *status, enum judge_class *out)
{
        for (size_t i = 0; i < sizeof clear / sizeof clear[0]; i++) {
                const struct phrase *p = &clear[i];
                if ((p->status && !str_eq(status->text, str_of_c(p->status))) || !has_word(said, p->words))
                        continue;
                *out = p->class;
                return true;
        }
        return false;
}

enum judge_class judge_class_of(unsigned code, struct str said)
{
        struct status status = {0};
        enum judge_class found;
        read_head(said, &code, &status);
        bool is_permanent = status.class != 0 ? status.class == 5 : code >= 500;
        if (find_clear(said, &status, &found))
                return found;
        if (HAS_ANY(said, policy_words))
                return JUDGE_POLICY;
        if (status.class != 0 && status.subject == 7)
                return JUDGE_POLICY;
        if (status.class != 0 && status.subject == 2 && status.detail == 2)
                return JUDGE_FULL; /* also when it was said for five days (4.2.2) */
        if (!is_permanent)
                return JUDGE_SYSTEM;
        if (status.class != 0 && status.subject != 0)
                return of_status(&status);
        if (HAS_ANY(said, size_words))
                return JUDGE_MESSAGE;
        if (HAS_ANY(said, full_words))
                return JUDGE_FULL;
        return HAS_ANY(said, address_words) ? JUDGE_ADDRESS : of_code(code);
}
