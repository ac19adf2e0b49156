/* SPDX-License-Identifier: ISC */
/* Scenes: what is done to a list, line by line, and what it decides. */
#include "list/scene.h"

static void test_joining(void **state)
{
        (void)state;
        play("moderated: the author confirms, a moderator accepts",
                (const struct line[]){{"moderator mod@m.example", ""},
                        {"Ann@A.example proven subscribe", "250 confirm: ask join-confirm Ann@A.example; "
                                                           "tell confirm-join Ann@A.example #new"},
                        {"anybody@x.example unproven confirm 1",
                                "250 waits: end #1; ask join-decide Ann@A.example; tell join-waits "
                                "moderators #new about Ann@A.example"},
                        {"mod@m.example proven accept 2",
                                "250 done: add Ann@A.example; tell welcome Ann@A.example; end #2"},
                        {"mod@m.example proven accept 2", "250 decided: tell request-decided mod@m.example"},
                        {"ann@a.example proven subscribe", "250 already: tell already-member ann@a.example"},
                        {0}});
        play("a moderator rejects, another comes second",
                (const struct line[]){{"moderator mod@m.example", ""}, {"moderator mia@m.example", ""},
                        {"waits join-decide ann@a.example", ""},
                        {"mod@m.example strong reject 1",
                                "250 done: tell join-refused ann@a.example; end #1"},
                        {"mia@m.example strong accept 1", "250 decided: tell request-decided mia@m.example"},
                        {0}});
        play("confirm: the author alone",
                (const struct line[]){{"set subscription confirm", ""},
                        {"ann@a.example proven subscribe", "250 confirm: ask join-confirm ann@a.example; "
                                                           "tell confirm-join ann@a.example #new"},
                        {"ann@a.example proven confirm 1",
                                "250 done: end #1; add ann@a.example; tell welcome ann@a.example"},
                        {"ann@a.example proven confirm 1", "550 decided:"}, {0}});
        play("open: at once", (const struct line[]){{"set subscription open", ""},
                                      {"ann+x@a.example proven subscribe",
                                              "250 done: add ann+x@a.example; tell welcome ann+x@a.example"},
                                      {"ann@a.example proven subscribe",
                                              "250 done: add ann@a.example; tell welcome ann@a.example"},
                                      {0}});
        play("open: what waited has no object any more",
                (const struct line[]){{"waits join-confirm ann@a.example", ""},
                        {"waits join-decide ann@a.example", ""}, {"set subscription open", ""},
                        {"ann@a.example proven subscribe",
                                "250 done: end #1; end #2; add ann@a.example; tell welcome ann@a.example"},
                        {0}});
        play("closed", (const struct line[]){{"set subscription closed", ""},
                               {"ann@a.example strong subscribe", "550 closed:"}, {0}});
        play("closed while the confirmation was on its way",
                (const struct line[]){
                        {"ann@a.example proven subscribe", "250 confirm: ask join-confirm ann@a.example; "
                                                           "tell confirm-join ann@a.example #new"},
                        {"set subscription closed", ""},
                        {"ann@a.example proven confirm 1", "550 closed: end #1"}, {0}});
        play("banned, before and after",
                (const struct line[]){{"waits join-confirm ann@a.example", ""}, {"ban ann@a.example", ""},
                        {"ANN@a.example strong subscribe", "550 banned:"},
                        {"ann@a.example proven confirm 1", "550 banned: end #1"}, {0}});
        play("asking again: nothing is sent on the same day",
                (const struct line[]){
                        {"ann@a.example proven subscribe", "250 confirm: ask join-confirm ann@a.example; "
                                                           "tell confirm-join ann@a.example #new"},
                        {"+23h", ""}, {"ANN@a.example proven subscribe", "250 confirm-sent:"}, {"+1h", ""},
                        {"ann@a.example proven subscribe",
                                "250 confirm: end #1; ask join-confirm ann@a.example; tell confirm-join "
                                "ann@a.example #new"},
                        {"ann@a.example proven confirm 1", "550 decided:"},
                        {"ann@a.example proven confirm 2",
                                "250 waits: end #2; ask join-decide ann@a.example; tell join-waits "
                                "moderators #new about ann@a.example"},
                        {"ann@a.example proven subscribe", "250 waits:"}, {0}});
        play("too late to confirm",
                (const struct line[]){
                        {"ann@a.example proven subscribe", "250 confirm: ask join-confirm ann@a.example; "
                                                           "tell confirm-join ann@a.example #new"},
                        {"+168h", ""}, {"ann@a.example proven confirm 1", "550 decided:"}, {0}});
        play("moderators were asked long ago, and never answered",
                (const struct line[]){{"waits join-decide ann@a.example", ""}, {"+168h", ""},
                        {"waits join-confirm ann@a.example", ""},
                        {"ann@a.example proven confirm 2",
                                "250 waits: end #2; end #1; ask join-decide ann@a.example; "
                                "tell join-waits moderators #new about ann@a.example"},
                        {0}});
        play("moderators need not decide any more",
                (const struct line[]){{"waits join-decide ann@a.example", ""},
                        {"waits join-confirm ann@a.example", ""}, {"set subscription confirm", ""},
                        {"ann@a.example proven confirm 2",
                                "250 done: end #2; end #1; add ann@a.example; tell welcome ann@a.example"},
                        {0}});
        play("by NAME-request: one mail each",
                (const struct line[]){{"set subscription open", ""},
                        {"ann@a.example proven request | join",
                                "250 done: add ann@a.example; tell welcome ann@a.example"},
                        {"ann@a.example proven request | join",
                                "250 already: tell already-member ann@a.example"},
                        {"ann@a.example proven request | leave",
                                "250 done: remove ann@a.example; tell goodbye ann@a.example"},
                        {"set subscription confirm", ""},
                        {"ann@a.example proven request | join",
                                "250 confirm: ask join-confirm ann@a.example; tell confirm-join "
                                "ann@a.example #new"},
                        {"ann@a.example proven request | join", "250 confirm-sent:"},
                        {"waits join-decide ann@a.example", ""},
                        {"ann@a.example proven request | join", "250 waits:"}, {0}});
        play("a member when the confirmation comes",
                (const struct line[]){{"waits join-confirm ann@a.example", ""}, {"member ann@a.example", ""},
                        {"ann@a.example proven confirm 1",
                                "250 already: end #1; tell already-member ann@a.example"},
                        {0}});
        play("a moderator's own wish needs no other one's leave",
                (const struct line[]){{"moderator mod@m.example", ""},
                        {"waits join-confirm mod@m.example", ""},
                        {"mod@m.example proven confirm 1",
                                "250 done: end #1; add mod@m.example; tell welcome mod@m.example"},
                        {0}});
        play("too many wait",
                (const struct line[]){{"crowd 200 4999", ""},
                        {"ann@a.example proven subscribe", "452 too-many:"}, {"crowd 199 5000", ""},
                        {"ann@a.example proven subscribe", "452 too-many:"}, {"crowd 199 4999", ""},
                        {"ann@a.example proven subscribe", "250 confirm: ask join-confirm ann@a.example; "
                                                           "tell confirm-join ann@a.example #new"},
                        {"crowd 200 5000", ""}, {"+24h", ""},
                        {"ann@a.example proven subscribe",
                                "250 confirm: end #1; ask join-confirm ann@a.example; tell confirm-join "
                                "ann@a.example #new"},
                        {0}});
}

static void test_leaving(void **state)
{
        (void)state;
        play("leaving",
                (const struct line[]){{"member ann@a.example", ""},
                        {"ANN@a.example proven unsubscribe",
                                "250 done: remove ANN@a.example; tell goodbye ANN@a.example"},
                        {"ann@a.example proven unsubscribe", "250 not-member: tell not-member ann@a.example"},
                        {0}});
        play("who is banned may leave",
                (const struct line[]){{"member ann@a.example", ""}, {"ban ann@a.example", ""},
                        {"ann@a.example proven unsubscribe",
                                "250 done: remove ann@a.example; tell goodbye ann@a.example"},
                        {0}});
        play("a wish to join is taken back",
                (const struct line[]){{"waits join-confirm ann@a.example", ""},
                        {"waits join-decide ann@a.example", ""},
                        {"ann@a.example proven unsubscribe",
                                "250 not-member: end #1; end #2; tell not-member ann@a.example"},
                        {0}});
        play("joining and leaving in one message",
                (const struct line[]){{"set subscription open", ""},
                        {"ann@a.example proven request | | join\nleave\n",
                                "250 done: add ann@a.example; tell welcome ann@a.example; "
                                "250 done: remove ann@a.example; tell goodbye ann@a.example"},
                        {0}});
        play("leaving for somebody else",
                (const struct line[]){{"member bob@b.example", ""}, {"moderator mod@m.example", ""},
                        {"mod@m.example strong request | leave bob@b.example", "550 not-yours:"},
                        {"ann@a.example proven request | | join bob@b.example\nhelp\n",
                                "550 not-yours:; 250 follows: tell help ann@a.example; "
                                "tell outcome ann@a.example [not-yours,follows]"},
                        {0}});
}

static void test_what_moderators_do_to_others(void **state)
{
        (void)state;
        play("removing",
                (const struct line[]){{"member bob@b.example", ""}, {"moderator mod@m.example", ""},
                        {"mod@m.example strong remove bob=b.example",
                                "250 done: remove bob@b.example; tell farewell-removed bob@b.example"},
                        {"mod@m.example strong remove bob=b.example", "550 not-member:"},
                        {"mod@m.example strong remove bob", "550 no-address:"},
                        {"bob@b.example strong remove bob", "550 moderators-only:"}, {0}});
        play("removing by who is no moderator",
                (const struct line[]){{"member bob@b.example", ""}, {"member ann@a.example", ""},
                        {"ann@a.example strong remove bob=b.example", "550 moderators-only:"},
                        {"ann@a.example strong request | | ban bob@b.example\nunban bob@b.example\nremove "
                         "bob@b.example\n",
                                "550 moderators-only:; 550 moderators-only:; 550 moderators-only:"},
                        {0}});
        play("SPF alone: removing is confirmed",
                (const struct line[]){{"member bob@b.example", ""}, {"moderator mod@m.example", ""},
                        {"mod@m.example proven remove bob=b.example",
                                "250 confirm:; ask change-confirm mod@m.example \"remove bob@b.example/\"; "
                                "tell confirm-change mod@m.example #new [remove "
                                "bob@b.example/]"},
                        {"mod@m.example proven remove bob=b.example", "550 confirm-sent:"},
                        {"x@x.example unproven confirm 1",
                                "250 done: end #1; 250 done: remove bob@b.example; tell farewell-removed "
                                "bob@b.example; "
                                "tell outcome mod@m.example [done]"},
                        {"mod@m.example proven confirm 1", "550 decided:"}, {0}});
        play("confirmed when the moderator is none any more",
                (const struct line[]){{"member bob@b.example", ""}, {"moderator mod@m.example", ""},
                        {"mod@m.example proven remove bob=b.example",
                                "250 confirm:; ask change-confirm mod@m.example \"remove bob@b.example/\"; "
                                "tell confirm-change mod@m.example #new [remove "
                                "bob@b.example/]"},
                        {"nomoderator mod@m.example", ""},
                        {"mod@m.example proven confirm 1", "250 done: end #1; 550 moderators-only:"}, {0}});
        play("a confirmation is asked for again a day later",
                (const struct line[]){{"moderator mod@m.example", ""},
                        {"mod@m.example proven request | ban x@x.example",
                                "250 confirm:; ask change-confirm mod@m.example \"ban x@x.example/\"; "
                                "tell confirm-change mod@m.example #new [ban "
                                "x@x.example/]"},
                        {"+24h", ""}, {"crowd 200 5000", ""},
                        {"mod@m.example proven request | unban y@x.example",
                                "250 confirm:; end #1; ask change-confirm mod@m.example \"unban "
                                "y@x.example/\"; "
                                "tell confirm-change mod@m.example #new [unban "
                                "y@x.example/]"},
                        {"mod@m.example proven confirm 1", "550 decided:"},
                        {"mod@m.example proven confirm 2",
                                "250 done: end #2; 250 not-banned:; tell outcome mod@m.example [not-banned]"},
                        {0}});
        play("too many wait for a confirmation of a change",
                (const struct line[]){{"moderator mod@m.example", ""}, {"crowd 0 5000", ""},
                        {"mod@m.example proven request | ban x@x.example", "452 too-many:"}, {0}});
        play("what another version kept",
                (const struct line[]){{"moderator mod@m.example", ""},
                        {"waits change-confirm mod@m.example", ""},
                        {"mod@m.example proven confirm 1", "550 decided: end #1"}, {0}});
        play("bans",
                (const struct line[]){{"moderator mod@m.example", ""}, {"waits join-confirm x@x.example", ""},
                        {"waits join-decide x@x.example", ""},
                        {"mod@m.example strong request | | ban X@x.example\nban x@x.example\n",
                                "250 done: end #1; end #2; ban X@x.example; 250 already:; tell outcome "
                                "mod@m.example [done,already]"},
                        {"mod@m.example strong accept 2", "250 decided: tell request-decided mod@m.example"},
                        {"mod@m.example strong request | unban x@x.example",
                                "250 done: unban x@x.example; tell outcome mod@m.example [done]"},
                        {"mod@m.example strong request | unban x@x.example",
                                "250 not-banned:; tell outcome mod@m.example [not-banned]"},
                        {0}});
        play("accepting who was banned meanwhile",
                (const struct line[]){{"moderator mod@m.example", ""}, {"waits join-decide x@x.example", ""},
                        {"ban x@x.example", ""}, {"mod@m.example strong accept 1", "550 banned: end #1"},
                        {0}});
        play("accepting who is member already",
                (const struct line[]){{"moderator mod@m.example", ""}, {"waits join-decide x@x.example", ""},
                        {"member x@x.example", ""}, {"mod@m.example strong accept 1", "250 already: end #1"},
                        {0}});
        play("deciding without the right",
                (const struct line[]){{"member ann@a.example", ""}, {"waits join-decide ann@a.example", ""},
                        {"waits post bob@b.example", ""},
                        {"ann@a.example strong accept 1", "550 moderators-only:"},
                        {"ann@a.example strong accept 2", "550 moderators-only:"},
                        {"ann@a.example strong reject 2", "550 moderators-only:"},
                        {"ann@a.example strong accept 99", "550 moderators-only:"}, {0}});
        play("tokens that are stale, or for another row",
                (const struct line[]){{"moderator mod@m.example", ""},
                        {"waits join-decide ann@a.example", ""}, {"waits join-confirm ann@a.example", ""},
                        {"mod@m.example strong accept 9 stale", "550 decided:"},
                        {"mod@m.example strong accept 2", "550 decided:"},
                        {"mod@m.example strong confirm 1", "550 decided:"}, {"+168h", ""},
                        {"mod@m.example strong accept 1", "550 decided:"}, {0}});
}

static void test_held_posts(void **state)
{
        (void)state;
        play("accepted",
                (const struct line[]){{"moderator mod@m.example", ""},
                        {"hold ann@a.example",
                                "250 waits: ask post ann@a.example \"m@a.example\"; tell post-waits "
                                "moderators #new about ann@a.example [m@a.example]"},
                        {"mod@m.example proven accept 1", "250 done: release #1; tell post-accepted "
                                                          "ann@a.example [m@a.example]; end #1"},
                        {"mod@m.example proven reject 1", "250 decided: tell request-decided mod@m.example"},
                        {0}});
        play("a member's first post",
                (const struct line[]){{"moderator mod@m.example", ""}, {"member ann@a.example", ""},
                        {"waits post ann@a.example", ""}, {"waits post ann@a.example", ""},
                        {"waits post ann@a.example", ""},
                        {"mod@m.example strong accept 1",
                                "250 done: release #1; option ann@a.example approved on; end #1"},
                        {"mod@m.example strong accept 2", "250 done: release #2; end #2"},
                        {"ann@a.example proven options | nomail on", "250 done: option ann@a.example nomail "
                                                                     "on; tell options ann@a.example [done]"},
                        {"mod@m.example strong accept 3",
                                "250 done: release #3; tell post-accepted ann@a.example; end #3"},
                        {0}});
        play("rejected",
                (const struct line[]){{"moderator mod@m.example", ""}, {"waits post ann@a.example", ""},
                        {"mod@m.example strong reject 1",
                                "250 done: drop #1; tell post-rejected ann@a.example; end #1"},
                        {0}});
        play("too many", (const struct line[]){{"held 9", ""},
                                 {"hold ann@a.example",
                                         "250 waits: ask post ann@a.example \"m@a.example\"; tell post-waits "
                                         "moderators #new about ann@a.example [m@a.example]"},
                                 {"held 10", ""}, {"hold ann@a.example", "452 too-many:"}, {"held 0", ""},
                                 {"crowd 200 0", ""}, {"hold ann@a.example", "452 too-many:"}, {0}});
        play("nobody decides",
                (const struct line[]){{"waits post ann@a.example", ""},
                        {"waits join-decide ann@a.example", ""}, {"waits join-confirm bob@b.example", ""},
                        {"waits change-confirm mod@m.example", ""}, {"expire 1", "250 done:"}, {"+168h", ""},
                        {"expire 1", "250 done: drop #1; tell post-expired ann@a.example; end #1"},
                        {"expire 2", "250 done: end #2"}, {"expire 3", "250 done: end #3"},
                        {"expire 4", "250 done: end #4"}, {"expire 1", "250 done:"}, {0}});
}

static void test_settings_by_mail(void **state)
{
        (void)state;
        play("asking for them",
                (const struct line[]){{"moderator mod@m.example", ""}, {"member ann@a.example", ""},
                        {"mod@m.example proven settings", "250 follows:; tell settings mod@m.example"},
                        {"ann@a.example strong settings", "550 moderators-only:"},
                        {"ann@a.example strong settings | | posting: perhaps\npostign: x\n",
                                "550 moderators-only:; 550 moderators-only:"},
                        {"ann@a.example strong settings | | posting: open\n", "550 moderators-only:"}, {0}});
        play("changing them", (const struct line[]){{"moderator mod@m.example", ""},
                                      {"mod@m.example strong settings | | posting: open\nwho: "
                                       "subscribers\npostign: x\nlanguage: fr\n",
                                              "250 done: set posting open; 250 already:; 250 unknown:; 250 "
                                              "done: set language fr; "
                                              "tell settings-changed moderators about mod@m.example [posting "
                                              "subscribers open/language en fr/]; "
                                              "tell settings mod@m.example [done,already,unknown,done]"},
                                      {"mod@m.example strong settings | | posting: subscribers\n",
                                              "250 done: set posting standard; "
                                              "tell settings-changed moderators about mod@m.example [posting "
                                              "open subscribers/]; "
                                              "tell settings mod@m.example [done]"},
                                      {"mod@m.example strong settings | | who: all\n",
                                              "250 wrong:; tell settings mod@m.example [wrong]"},
                                      {0}});
        play("by SPF alone",
                (const struct line[]){{"moderator mod@m.example", ""}, {"moderator mia@m.example", ""},
                        {"mod@m.example proven settings | | footer: a b\nposting: open\n",
                                "250 confirm:; 250 confirm:; ask change-confirm mod@m.example \"set footer a "
                                "b/set posting open/\"; "
                                "tell confirm-change mod@m.example #new [set footer a "
                                "b/set posting open/]"},
                        {"mod@m.example proven settings | | footer: c\n", "550 confirm-sent:"},
                        {"set posting open", ""},
                        {"mia@m.example proven confirm 1",
                                "250 done: end #1; 250 done: set footer a b; 250 already:; "
                                "tell settings-changed moderators about mod@m.example [footer none a b/]; "
                                "tell outcome mod@m.example [done,already]"},
                        {0}});
        play("by SPF alone, with a fault",
                (const struct line[]){{"moderator mod@m.example", ""},
                        {"mod@m.example proven settings | | footre: c\nfooter: c\n",
                                "250 unknown:; 250 confirm:; ask change-confirm mod@m.example \"set footer "
                                "c/\"; "
                                "tell confirm-change mod@m.example #new [set footer c/]; "
                                "tell settings mod@m.example [unknown,confirm]"},
                        {0}});
}

static void test_options_by_mail(void **state)
{
        (void)state;
        play("options",
                (const struct line[]){{"member ann@a.example", ""}, {"moderator mod@m.example", ""},
                        {"ann@a.example proven options", "250 follows:; tell options ann@a.example"},
                        {"ann@a.example proven options | | nomail: on\nown-posts: on\nnomali: off\n",
                                "250 done: option ann@a.example nomail on; 250 already:; 250 unknown:; "
                                "tell options ann@a.example [done,already,unknown]"},
                        {"ann@a.example proven options | | own-posts: off\n",
                                "250 done: option ann@a.example own-posts off; tell options ann@a.example "
                                "[done]"},
                        {"mod@m.example strong options", "550 members-only:"},
                        {"mod@m.example strong options | | nomail: on\nnomali: on\n",
                                "550 members-only:; 550 members-only:"},
                        {0}});
}

static void test_asking(void **state)
{
        (void)state;
        play("who",
                (const struct line[]){{"member ann@a.example", ""}, {"moderator mod@m.example", ""},
                        {"ann@a.example proven subscribers", "250 follows: tell members ann@a.example"},
                        {"mod@m.example proven subscribers", "250 follows: tell members mod@m.example"},
                        {"bob@b.example strong subscribers", "550 members-only:"}, {"set who moderators", ""},
                        {"ann@a.example strong subscribers", "550 moderators-only:"},
                        {"mod@m.example proven request | who", "250 follows: tell members mod@m.example"},
                        {"set who nobody", ""}, {"ann@a.example strong subscribers", "550 nobody:"},
                        {"mod@m.example strong subscribers", "550 nobody:"}, {0}});
        play("why", (const struct line[]){{"member ann@a.example", ""}, {"moderator mod@m.example", ""},
                            {"mod@m.example proven why | <x@a.example>",
                                    "250 follows: tell why mod@m.example [x@a.example]"},
                            {"mod@m.example proven why | what", "550 unknown:"},
                            {"ann@a.example strong why | <x@a.example>", "550 moderators-only:"},
                            {"ann@a.example strong why | what", "550 moderators-only:"}, {0}});
        play("help, and what nobody understands",
                (const struct line[]){{"bob@b.example proven help", "250 follows: tell help bob@b.example"},
                        {"bob@b.example proven request | help", "250 follows: tell help bob@b.example"},
                        {"bob@b.example proven request | please help",
                                "250 unknown:; tell outcome bob@b.example [unknown]"},
                        {"bob@b.example proven request | | join bob\nhelp\n",
                                "250 no-address:; 250 follows: tell help bob@b.example; "
                                "tell outcome bob@b.example [no-address,follows]"},
                        {"bob@b.example proven request | | join\nhelp\n",
                                "250 confirm: ask join-confirm bob@b.example; tell confirm-join "
                                "bob@b.example #new; "
                                "250 follows: tell help bob@b.example"},
                        {0}});
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_joining),
                cmocka_unit_test(test_leaving),
                cmocka_unit_test(test_what_moderators_do_to_others),
                cmocka_unit_test(test_held_posts),
                cmocka_unit_test(test_settings_by_mail),
                cmocka_unit_test(test_options_by_mail),
                cmocka_unit_test(test_asking),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
