/* SPDX-License-Identifier: ISC */
#include "mail/html_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void read_html(struct str html, struct wr *w)
{
        struct html_text h;
        html_text_init(&h, w);
        for (size_t i = 0; i < html.n; i++)
                html_text_put(&h, (uint8_t)html.p[i]);
        html_text_end(&h);
}

static void test_html(void **state)
{
        (void)state;
        static const struct {
                const char *name, *html, *text;
        } cases[] = {
                {"text", "join", "join\n"},
                {"blocks", "<html><body><p>join</p><div>leave</div></body></html>", "join\nleave\n"},
                {"line breaks", "a<br>b<BR/>c<br />d", "a\nb\nc\nd\n"},
                {"an empty line", "a<br><br>b", "a\n\nb\n"},
                {"white space is folded", "  a \n\t b <b> c</b>d ", "a b cd\n"},
                {"entities", "1 &lt; 2 &amp;&amp; 3&nbsp;&gt;&#32;&#x31;&quot;&#39;", "1 < 2 && 3 > 1\"'\n"},
                {"no entities", "a & b &c; &d &#; &#xg; &toolongtobeone; &",
                        "a & b &c; &d &#; &#xg; &toolongtobeone; &\n"},
                {"a reference beyond Unicode", "&#x7fffffff;&#99999999999999999999;",
                        "&#x7fffffff;&#99999999999999999999;\n"},
                {"a character without a glyph", "a&#0;b&#7;c", "a&#0;b c\n"},
                {"comments", "a<!-- <p>b -- > --->c<!---->d", "acd\n"},
                {"attributes with quotes", "<a href=\"x>y\" title='>'>z</a>", "z\n"},
                {"scripts and styles", "<style>p {x: y}</style>a<script>if (a < b) c;</script>d", "ad\n"},
                {"a head", "<head><title>t</title><meta x></head><body>b</body>", "b\n"},
                {"a head without an end", "<head><title>t</title><body>b", "b\n"},
                {"a style without an end ends the line", "a<style>b", "a\n"},
                {"quoting", "a<blockquote>b<br>c<blockquote>d</blockquote>e</blockquote>f",
                        "a\n> b\n> c\n> > d\n> e\nf\n"},
                {"more ends than quotes", "</blockquote></blockquote><blockquote>a</blockquote>b",
                        "> a\nb\n"},
                {"no tags", "1 < 2 <3 <", "1 < 2 <3 <\n"},
                {"a tag that does not end", "a<p", "a\n"},
                {"a declaration", "<!DOCTYPE html><?xml version='1'?>a", "a\n"},
                {"nothing", "", ""},
                {"no text", "<p></p>", ""},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char memory[512];
                struct wr w;
                struct str html = str_of_c(cases[i].html);
                wr_init(&w, memory, sizeof memory);
                read_html(html, &w);
                if (!str_eq(wr_text(&w), str_of_c(cases[i].text)))
                        fail_msg("%s: \"%.*s\"", cases[i].name, STR_ARG(wr_text(&w)));
                for (size_t n = 0; n < html.n; n++) {
                        wr_init(&w, memory, sizeof memory);
                        read_html(str_take(html, n), &w);
                        assert_true(w.n <= n + 32);
                }
        }
}

static void test_quoting_is_bounded(void **state)
{
        (void)state;
        char memory[256];
        struct wr w;
        struct html_text h;
        wr_init(&w, memory, sizeof memory);
        html_text_init(&h, &w);
        struct str tag = S("<blockquote>");
        for (unsigned i = 0; i < 1000; i++)
                for (size_t k = 0; k < tag.n; k++)
                        html_text_put(&h, (uint8_t)tag.p[k]);
        html_text_put(&h, 'a');
        html_text_end(&h);
        assert_int_equal(w.n, 2 * HTML_QUOTE_MAX + 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_html),
                cmocka_unit_test(test_quoting_is_bounded),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
