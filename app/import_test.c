/* SPDX-License-Identifier: ISC */
/* The dumps here were written by hand after the formats of the real programs. */
#include "app/import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wr.h"
#include "list/setting.h"

struct transcript {
        char text[16384];
        struct wr w;
        size_t left; /* items until the sink fails; SIZE_MAX: never */
        enum err failure;
};

static void put_word(struct wr *w, const char *word)
{
        wr_byte(w, ' ');
        wr_str(w, str_of_c(word));
}

static enum err take(void *ctx, const struct import_item *item)
{
        static const char *const kinds[] = {"member", "options", "moderator", "ban", "set", "left"};
        struct transcript *t = ctx;
        if (t->left-- == 0)
                return t->failure;
        wr_str(&t->w, str_of_c(kinds[item->kind]));
        if (item->name.n > 0) {
                wr_byte(&t->w, ' ');
                wr_str(&t->w, item->name);
        }
        if (item->text.n > 0) {
                wr_byte(&t->w, ' ');
                wr_str(&t->w, item->text);
        }
        if (item->is_nomail)
                put_word(&t->w, "+nomail");
        if (item->no_own_posts)
                put_word(&t->w, "+no-own-posts");
        if (item->joined_ms != 0) {
                wr_byte(&t->w, ' ');
                wr_u64(&t->w, (uint64_t)item->joined_ms);
        }
        if (item->why != NULL) {
                wr_str(&t->w, S(": "));
                wr_str(&t->w, str_of_c(item->why));
        }
        wr_byte(&t->w, '\n');
        assert_true(item->line > 0 || item->text.n == 0 || item->kind == IMPORT_SETTING);
        if (item->kind == IMPORT_SETTING)
                assert_int_equal(setting_check(setting_find(item->name), item->text), ERR_OK);
        return ERR_OK;
}

/* In blocks of their exact sizes. */
static enum err read_exact(
        enum import_format format, const char *path, struct str text, struct transcript *t, size_t *line)
{
        char *bytes = malloc(text.n + (text.n == 0)), *room = malloc(IMPORT_ROOM(text.n));
        assert_non_null(bytes);
        assert_non_null(room);
        memcpy(bytes, text.p, text.n);
        wr_init(&t->w, t->text, sizeof t->text);
        struct import_file file = {format, str_of_c(path), str_of(bytes, text.n), room};
        enum err err = import_read(&file, (struct import_sink){take, t}, line);
        free(bytes);
        free(room);
        return err;
}

#define CONFIG_LIST                                                                         \
        "# -*- python -*-\n# -*- coding: iso-8859-1 -*-\n"                                  \
        "## \"gens\" mailing list configuration settings\n"                                 \
        "## captured on Mon Feb  5 10:11:12 2018\n\n## General options\n#\n"                \
        "# The public name of this list (make case-changes only).\n"                        \
        "real_name = 'Gens'\n\n"                                                            \
        "owner = ['boss@a.example', 'Second@b.example']\n\nmoderator = []\n\n"              \
        "# A terse phrase identifying this list.\n"                                         \
        "description = \"Les gens d'\xe9t\xe9\"\n\n"                                        \
        "subject_prefix = '[Gens] '\n"                                                      \
        "msg_footer = \"\"\"_____\n%(real_name)s mailing list\n\\\"quoted\\\"\n\"\"\"\n\n"  \
        "# legal values are:\n#    0 = \"No\"\n#    1 = \"Munge From\"\nfrom_is_list = 1\n" \
        "reply_goes_to_list = 1\nmax_message_size = 40\narchive = True\n"                   \
        "preferred_language = 'fr'\nsubscribe_policy = 3\nprivate_roster = 2\n"             \
        "default_member_moderation = 0\nmember_moderation_action = 1\n"                     \
        "generic_nonmember_action = 1\n"                                                    \
        "ban_list = ['bad@x.example', '^.*@evil\\\\.example$']\n"                           \
        "header_filter_rules = [('a', 3, False), {'b': (1, 2)}]\n"                          \
        "bounce_info_stale_after = 604800.0\nadmin_member_chunksize = -1\n"

#define DUMPDB                                                                                        \
        "[----- start pickle file -----]\n<----- start object 1 ----->\n"                             \
        "{   'archive': False,\n"                                                                     \
        "    'bounce_info': {   'b@x.example': <Mailman.Bouncer._BounceInfo instance at 0xb7a2c>},\n" \
        "    'default_member_moderation': 1,\n"                                                       \
        "    'delivery_status': {   'd@x.example': (2, 1234567890.1)},\n"                             \
        "    'description': u'\\xc9t\\u00e9',\n"                                                      \
        "    'digest_members': {   'e@x.example': 0},\n"                                              \
        "    'members': {   'a@x.example': 0,\n"                                                      \
        "                   'b@x.example': 'B@X.example',\n"                                          \
        "                   u'd@x.example': 0},\n"                                                    \
        "    'member_moderation_action': 2,\n"                                                        \
        "    'owner': ['boss@a.example'],\n"                                                          \
        "    'passwords': {   'a@x.example': 'secret'},\n"                                            \
        "    'subject_prefix': '[%(real_name)s %d] ',\n"                                              \
        "    'user_options': {   'a@x.example': 264, 'b@x.example': 3, 'gone@x.example': 2L}\n}\n"    \
        "<----- end ----->\n"

#define M3_CONFIG                                                                          \
        "{\"http_etag\": \"\\\"0\\\"\", \"archive_policy\": \"never\",\n"                  \
        " \"default_member_action\": \"defer\", \"default_nonmember_action\": \"accept\"," \
        " \"description\": \"\\u00c9t\\u00e9 \\ud83d\\ude00\",\n"                          \
        " \"dmarc_mitigate_unconditionally\": false, \"max_message_size\": 40,"            \
        " \"member_roster_visibility\": \"moderators\", \"acceptable_aliases\": [],"       \
        " \"preferred_language\": \"pt_BR\", \"reply_goes_to_list\": \"explicit_header\"," \
        " \"subject_prefix\": \"[Ant] \", \"subscription_policy\": \"confirm_then_moderate\"}\n"

#define M3_ROSTER                                                                                      \
        "{\"start\": 0, \"total_size\": 4, \"entries\": [\n"                                           \
        " {\"address\": \"http://localhost:8001/3.1/addresses/a@x.example\", \"bounce_score\": 0,"     \
        "  \"delivery_mode\": \"regular\", \"delivery_status\": \"enabled\", \"display_name\": \"A\"," \
        "  \"email\": \"a@x.example\", \"role\": \"member\", \"moderation_action\": null},\n"          \
        " {\"email\": \"b@x.example\", \"role\": \"member\", \"delivery_mode\": \"mime_digests\","     \
        "  \"preferences\": {\"delivery_status\": \"by_user\", \"receive_own_postings\": false}},\n"   \
        " {\"email\": \"boss@a.example\", \"role\": \"owner\"},\n"                                     \
        " {\"email\": \"no@x.example\", \"role\": \"nonmember\"}],\n"                                  \
        " \"http_etag\": \"1\"}\n"                                                                     \
        "[{\"email\": \"bad@x.example\", \"list_id\": \"ant.x.example\","                              \
        "  \"self_link\": \"http://localhost:8001/3.1/lists/ant.x.example/bans/bad%40x.example\"},\n"  \
        " {\"email\": \"^.*@evil\", \"self_link\": \"/3.1/lists/ant/bans/x\"},\n"                      \
        " {\"email\": \"site@x.example\", \"original_email\": \"Site@x.example\"}]\n"

#define SYMPA_CONFIG                                                                                  \
        "# made by hand\nsubject Les gens\n\nlang en_US\n\nowner\ngecos Boss\nemail boss@a.example\n" \
        "profile privileged\n\neditor\nemail ed@a.example\nreception mail\n\n"                        \
        "send privateoreditorkey\n\nsubscribe auth_owner\n\nreview owner\n\nreply_to_header\n"        \
        "value all\napply respect\n\ncustom_subject [gens]\n\nmax_size 5242880\n\n"                   \
        "process_archive on\n\ncreation\ndate_epoch 1500000000\nemail maker@a.example\n"

#define SYMPA_MEMBERS                                                                     \
        "date 1500000000\r\nemail a@x.example\r\ngecos Ann\r\nreception nomail\r\n\r\n\n" \
        "email b@x.example\nreception not_me\n\ndate 2017-01-02\nemail c@x.example\nreception digestplain\n"

static const struct {
        const char *name;
        enum import_format format;
        const char *path, *text, *items;
} good[] = {
        {"nothing", IMPORT_PLAIN, "", "", ""},
        {"lines", IMPORT_PLAIN, "", "\xef\xbb\xbf# us\r\na@x.example\r\n\r\nAnn <b@x.example>\n<c@x.example>",
                "member a@x.example\nmember Ann <b@x.example>\nmember <c@x.example>\n"},
        {"CSV without titles", IMPORT_PLAIN, "", "a@x.example,Ann\n\"b@x.example\";x\n",
                "member a@x.example\nmember b@x.example\n"},
        {"CSV with titles", IMPORT_PLAIN, "",
                "Name;\"E-Mail\";Since\n\"Doe; \"\"J\"\"; John\";j@x.example;2020\n;k@x.example\n",
                "member j@x.example\nmember k@x.example\n"},
        {"our own CSV", IMPORT_PLAIN, "",
                "address,options,joined\na@x.example,,2017-07-14T02:40:00Z\nb@x.example,nomail "
                "no-own-posts,\n",
                "member a@x.example 1500000000000\nmember b@x.example +nomail +no-own-posts\n"},
        {"a quoted local part", IMPORT_PLAIN, "", "\"\"\"odd, \\\"\"one;\"\"@x.example\",x\n",
                "member \"odd, \\\"one;\"@x.example\n"},
        {"tabs with empty fields", IMPORT_PLAIN, "",
                "options\temail\n\ta@x.example\nnomail\t\"b@x.example\"\n",
                "member a@x.example\nmember b@x.example +nomail\n"},
        {"config_list", IMPORT_MAILMAN2, "", CONFIG_LIST,
                "moderator boss@a.example\nmoderator Second@b.example\n"
                "set description Les gens d'\xc3\xa9t\xc3\xa9\nset subject-prefix [Gens]\n"
                "left msg_footer: has placeholders\nset from rewrite\nset reply-to list\n"
                "set max-message 40K\nset archive on\nset language fr\nset subscription moderated\n"
                "set who moderators\nban bad@x.example\n"
                "left ban_list ^.*@evil\\.example$: only addresses can be banned, no patterns\n"
                "set posting subscribers\nleft held posts of others: they are refused here\n"},
        {"dumpdb", IMPORT_MAILMAN2, "", DUMPDB,
                "set archive off\noptions d@x.example +nomail\nset description \xc3\x89t\xc3\xa9\n"
                "member e@x.example\nmember a@x.example\nmember B@X.example\nmember d@x.example\n"
                "moderator boss@a.example\nleft subject_prefix: has placeholders\n"
                "options a@x.example\noptions b@x.example +nomail +no-own-posts\n"
                "options gone@x.example +no-own-posts\n"
                "left digests: who got them gets every post by itself\nset posting announce\n"},
        {"list_members", IMPORT_MAILMAN2, "", "a@x.example\n\"Doe, Jane\" <b@x.example>\n",
                "member a@x.example\nmember \"Doe, Jane\" <b@x.example>\n"},
        {"a list's config by REST", IMPORT_MAILMAN3, "", M3_CONFIG,
                "set archive off\nset description \xc3\x89t\xc3\xa9 \xf0\x9f\x98\x80\nset from auto\n"
                "set max-message 40K\nset who moderators\nset language pt\n"
                "left reply_goes_to_list: has no like here\nset subject-prefix [Ant]\n"
                "set subscription moderated\nset posting open\n"},
        {"a roster and bans by REST", IMPORT_MAILMAN3, "", M3_ROSTER,
                "member a@x.example\nmember b@x.example +nomail +no-own-posts\nmoderator boss@a.example\n"
                "ban bad@x.example\nleft bans ^.*@evil: only addresses can be banned, no patterns\n"
                "left digests: who got them gets every post by itself\n"},
        {"mailman members", IMPORT_MAILMAN3, "", "Ann <a@x.example>\nb@x.example\n",
                "member Ann <a@x.example>\nmember b@x.example\n"},
        {"Mailman 3's tables as CSV", IMPORT_MAILMAN3, "",
                "email,role,delivery_status,delivery_mode,receive_own_postings\n"
                "a@x.example,1,1,1,t\nb@x.example,1,3,,f\nboss@a.example,2,,,\nno@x.example,4,,,\n"
                "c@x.example,member,by_user,mime_digests,\n",
                "member a@x.example\nmember b@x.example +nomail +no-own-posts\nmoderator boss@a.example\n"
                "member c@x.example +nomail\nleft digests: who got them gets every post by itself\n"},
        {"mlmmj's list", IMPORT_MLMMJ, "/l/control/listaddress", "l@x.example\n",
                "set subscription confirm\nset posting open\n"},
        {"mlmmj's moderated list", IMPORT_MLMMJ, "control/moderated", "", "set posting moderated\n"},
        {"mlmmj's owners", IMPORT_MLMMJ, "control/owner", "boss@a.example\n\ned@a.example",
                "moderator boss@a.example\nmoderator ed@a.example\n"},
        {"mlmmj's size", IMPORT_MLMMJ, "control/maxmailsize", "1048576\n", "set max-message 1048576\n"},
        {"mlmmj's size of none", IMPORT_MLMMJ, "control/maxmailsize", "0\n",
                "left maxmailsize: every list here has a limit\n"},
        {"mlmmj's prefix", IMPORT_MLMMJ, "control/prefix", "[l]\n", "set subject-prefix [l]\n"},
        {"mlmmj's footer", IMPORT_MLMMJ, "control/footer", "--\ntwo lines\n",
                "left footer: has more than one line\n"},
        {"mlmmj's rules", IMPORT_MLMMJ, "control/access", "deny ^From: x\n",
                "left access: who may post is told by the setting posting\n"},
        {"mlmmj's other files", IMPORT_MLMMJ, "control/delimiter", "+\n", ""},
        {"mlmmj's members", IMPORT_MLMMJ, "l/subscribers.d/a", "a@x.example\nab@x.example\n",
                "member a@x.example\nmember ab@x.example\n"},
        {"mlmmj's members without mail", IMPORT_MLMMJ, "nomailsubs.d/b", "b@x.example\n",
                "member b@x.example +nomail\n"},
        {"mlmmj-list", IMPORT_MLMMJ, "", "b@x.example\n", "member b@x.example\n"},
        {"sympa's config", IMPORT_SYMPA, "config", SYMPA_CONFIG,
                "set description Les gens\nset language en\nmoderator boss@a.example\n"
                "moderator ed@a.example\nset posting subscribers\nset subscription moderated\n"
                "set who moderators\nset reply-to both\nset subject-prefix [gens]\n"
                "set max-message 5242880\nset archive on\n"},
        {"sympa's members", IMPORT_SYMPA, "x/member.dump", SYMPA_MEMBERS,
                "member a@x.example +nomail 1500000000000\nmember b@x.example +no-own-posts\n"
                "member c@x.example 1483315200000\nleft digests: who got them gets every post by itself\n"},
        {"sympa's owners", IMPORT_SYMPA, "x/owner.dump", "date 1\nemail o@a.example\nprofile privileged\n",
                "moderator o@a.example\n"},
        {"sympa's footer", IMPORT_SYMPA, "x/message_footer", "see https://x.example\n",
                "set footer see https://x.example\n"},
        {"sympa without scenario", IMPORT_SYMPA, "config", "send intranet\n",
                "left send: has no like here\n"},
};

static void test_good(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
                struct transcript t = {.left = SIZE_MAX};
                size_t line;
                enum err err = read_exact(good[i].format, good[i].path, str_of_c(good[i].text), &t, &line);
                if (err != ERR_OK || !str_eq(wr_text(&t.w), str_of_c(good[i].items)))
                        fail_msg("%s: %s at line %zu\n%.*s", good[i].name, err_text(err), line,
                                STR_ARG(wr_text(&t.w)));
        }
}

/* A dump that was cut anywhere is read or refused, and reading stays in its bytes. */
static void test_prefixes(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
                struct str text = str_of_c(good[i].text);
                for (size_t n = 0; n <= text.n; n++) {
                        struct transcript t = {.left = SIZE_MAX};
                        size_t line;
                        enum err err = read_exact(good[i].format, good[i].path, str_take(text, n), &t, &line);
                        assert_true(err == ERR_OK || err == ERR_SYNTAX);
                }
        }
}

/* What the sink says ends the reading, and is what the reading gives. */
static void test_sink(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
                struct str items = str_of_c(good[i].items);
                for (size_t k = 0; items.n > 0; k++) {
                        struct transcript t = {.left = k, .failure = ERR_MEMORY};
                        struct str item;
                        size_t line;
                        (void)str_cut(items, '\n', &item, &items);
                        assert_int_equal(
                                read_exact(good[i].format, good[i].path, str_of_c(good[i].text), &t, &line),
                                ERR_MEMORY);
                }
        }
}

static const struct {
        const char *name;
        enum import_format format;
        const char *text;
        size_t line;
} bad[] = {
        {"CSV without an address", IMPORT_PLAIN, "email,name\na@x,\n,Ann\n", 3},
        {"an option that is none", IMPORT_PLAIN, "email,options\na@x,nomails\n", 2},
        {"a day that is none", IMPORT_PLAIN, "email,joined\na@x,2026-02-30\n", 2},
        {"config_list without a value", IMPORT_MAILMAN2, "a = 1\nb =\n", 3},
        {"config_list that is a program", IMPORT_MAILMAN2, "a = 1\nimport os\n", 2},
        {"config_list with a call", IMPORT_MAILMAN2, "a = 1\nowner = [f('x')]\n", 2},
        {"an open string", IMPORT_MAILMAN2, "a = 'x\n", 2},
        {"an escape that is none", IMPORT_MAILMAN2, "a = '\\xg'\n", 1},
        {"dumpdb with a list for a person", IMPORT_MAILMAN2, "{'members': {'a': [1]}}", 1},
        {"dumpdb with an open tuple", IMPORT_MAILMAN2, "{'delivery_status': {'a': (1, 2}}", 1},
        {"brackets that do not end", IMPORT_MAILMAN2, "a = 1\nb = [[1]\n", 3},
        {"JSON with single quotes", IMPORT_MAILMAN3, "{'a': 1}", 1},
        {"JSON without a colon", IMPORT_MAILMAN3, "{\n\"a\" 1}", 2},
        {"JSON that is not closed", IMPORT_MAILMAN3, "{\"entries\": [{\"email\": \"a@x\"}", 1},
        {"JSON with a bad escape", IMPORT_MAILMAN3, "{\"a\": \"\\u12\"}", 1},
};

static void test_bad(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                struct transcript t = {.left = SIZE_MAX};
                size_t line;
                enum err err = read_exact(bad[i].format, "", str_of_c(bad[i].text), &t, &line);
                if (err != ERR_SYNTAX || line != bad[i].line)
                        fail_msg("%s: %s at line %zu", bad[i].name, err_text(err), line);
        }
}

/* Nesting is bounded where it costs stack, and costs none where it is not. */
static void test_depth(void **state)
{
        (void)state;
        enum { DEPTH = 100000 };
        static const struct {
                enum import_format format;
                const char *head;
                enum err err;
        } cases[] = {{IMPORT_MAILMAN3, "", ERR_LIMIT}, {IMPORT_MAILMAN2, "a = ", ERR_OK}};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct transcript t = {.left = SIZE_MAX};
                struct wr w;
                size_t line;
                char *text = malloc(2 * DEPTH + 8);
                assert_non_null(text);
                wr_init(&w, text, 2 * DEPTH + 8);
                wr_str(&w, str_of_c(cases[i].head));
                for (size_t n = 0; n < 2 * DEPTH; n++)
                        wr_byte(&w, n < DEPTH ? '[' : ']');
                assert_int_equal(read_exact(cases[i].format, "", wr_text(&w), &t, &line), cases[i].err);
                free(text);
        }
}

/* The members of all lists of a site are refused where the second list begins. */
static void test_several_lists(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                enum err err;
                size_t line;
        } cases[] = {
                {"{\"entries\": [{\"email\": \"a@x\", \"list_id\": \"a.x\", \"role\": \"member\"},\n"
                 "{\"email\": \"b@x\", \"list_id\": \"A.x\", \"role\": \"member\"}]}",
                        ERR_OK, 2},
                {"{\"entries\": [{\"email\": \"a@x\", \"list_id\": \"a.x\", \"role\": \"member\"},\n"
                 "{\"email\": \"b@x\", \"list_id\": \"b.x\", \"role\": \"member\"}]}",
                        ERR_DENIED, 2},
                {"email,list_id\na@x,a.x\nb@x,b.x\n", ERR_DENIED, 3},
                {"email,list_id\na@x,a.x\nb@x,\n", ERR_OK, 3},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct transcript t = {.left = SIZE_MAX};
                size_t line;
                assert_int_equal(
                        read_exact(IMPORT_MAILMAN3, "", str_of_c(cases[i].text), &t, &line), cases[i].err);
                assert_int_equal(line, cases[i].line);
        }
}

static void test_formats(void **state)
{
        (void)state;
        enum import_format format;
        assert_int_equal(import_format_of(S("sympa"), &format), ERR_OK);
        assert_int_equal(format, IMPORT_SYMPA);
        assert_int_equal(import_format_of(S("mailman2"), &format), ERR_OK);
        assert_int_equal(format, IMPORT_MAILMAN2);
        assert_int_equal(import_format_of(S("listserv"), &format), ERR_NOT_FOUND);
        assert_int_equal(import_format_of(S(""), &format), ERR_NOT_FOUND);
        assert_null(import_folder(IMPORT_MAILMAN2));
        assert_string_equal(import_folder(IMPORT_MLMMJ)[0], "control/listaddress");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_prefixes),
                cmocka_unit_test(test_sink),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_several_lists),
                cmocka_unit_test(test_formats),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
