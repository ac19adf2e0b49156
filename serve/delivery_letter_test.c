/* SPDX-License-Identifier: ISC */
/* Letters: read once, kept within bounds, and read anew when they are gone. */
#include "serve/mail_hosts.h"

#include "serve/delivery_letter.h"

/* A signed post to `list` with a body of about `size` bytes. */
static int64_t put_large(struct world *w, int64_t list, unsigned nth, size_t size)
{
        static const char line[] = "0123456789012345678901234567890123456789012345678901234567\r\n";
        struct store_intake *intake;
        char ticket[16];
        int64_t id;
        (void)snprintf(ticket, sizeof ticket, "l%u", nth);
        const struct store_message_new m = {.ticket = str_of_c(ticket),
                .kind = STORE_POST,
                .list = list,
                .domain = S("example.org"),
                .is_8bit = true};
        assert_int_equal(store_intake_begin(w->rig->s, 0, &intake), ERR_OK);
        assert_int_equal(store_intake_write(intake, S("From: a@b.example\r\n\r\n")), ERR_OK);
        for (size_t n = 0; n < size; n += sizeof line - 1)
                assert_int_equal(store_intake_write(intake, str_of_c(line)), ERR_OK);
        assert_int_equal(store_intake_commit(intake, &m, &id), ERR_OK);
        assert_int_equal(store_ticket_sign(w->rig->s, id, S("P: 1\r\n")), ERR_OK);
        return id;
}

static int64_t new_list(struct world *w)
{
        int64_t list;
        const struct store_list_new new = {.name = S("l"), .domain = S("example.org")};
        assert_int_equal(store_list_add(w->rig->s, &new, &list), ERR_OK);
        return list;
}

static struct delivery_letter *must_open(struct world *w, struct delivery_letters *all, int64_t id)
{
        struct delivery_letter *l;
        assert_int_equal(delivery_letter_open(all, &w->node, id, &l), ERR_OK);
        assert_int_equal(l->message, id);
        return l;
}

static void read_once_prepare(struct world *w)
{
        (void)w;
}

static void read_once(struct world *w)
{
        struct delivery_letters all = {0};
        struct delivery_letter *l, *same;
        run(w);
        int64_t id = put_large(w, new_list(w), 0, 100);
        l = must_open(w, &all, id);
        same = must_open(w, &all, id);
        assert_ptr_equal(l, same);
        assert_true(l->users == 2 && l->is_8bit && !l->is_smtputf8 && !l->is_probe && l->ends_a_line);
        assert_true(str_eq(l->list_name, S("l")) && str_eq(l->list_domain, S("example.org")));
        assert_ptr_equal(l->domain, &w->node.domains[0]);
        assert_true(
                l->bytes.n == l->size && str_has_prefix(l->bytes, S("P: 1\r\nFrom: a@b.example\r\n\r\n0")));
        delivery_letter_close(&all, same);
        delivery_letter_close(&all, l);
        delivery_letter_close(&all, NULL);
        assert_int_equal(delivery_letter_open(&all, &w->node, 999, &l), ERR_NOT_FOUND);
        assert_null(l);
        delivery_letters_end(&all);
        assert_int_equal(all.bytes, 0);
}
WORLD_CASE(read_once)

static void within_bounds_prepare(struct world *w)
{
        (void)w;
}

/* More than the memory for all, and one that is too large for it: these are read from the spool. What is in use stays. */
static void within_bounds(struct world *w)
{
        enum { COUNT = DELIVERY_LETTERS_BYTES_MAX / (400 * 1024) + 2 };
        struct delivery_letters all = {0};
        struct delivery_letter *held[COUNT];
        size_t kept = 0;
        run(w);
        int64_t list = new_list(w), ids[COUNT];
        for (unsigned i = 0; i < COUNT; i++) {
                ids[i] = put_large(w, list, i, 400 * 1024);
                held[i] = must_open(w, &all, ids[i]);
                kept += held[i]->bytes.n > 0;
                assert_true(held[i]->ends_a_line && held[i]->size > 400 * 1024);
                assert_true(all.bytes <= DELIVERY_LETTERS_BYTES_MAX);
        }
        assert_true(kept > 0 && kept < COUNT);
        for (unsigned i = 0; i < COUNT; i++)
                delivery_letter_close(&all, held[i]);
        int64_t large = put_large(w, list, COUNT, DELIVERY_LETTER_MAX + 1);
        struct delivery_letter *l = must_open(w, &all, large);
        assert_int_equal(l->bytes.n, 0);
        delivery_letter_close(&all, l);
        l = must_open(w, &all, put_large(w, list, COUNT + 1, 400 * 1024)); /* in the place of the oldest */
        assert_true(l->bytes.n > 0 && all.bytes <= DELIVERY_LETTERS_BYTES_MAX);
        delivery_letter_close(&all, l);
        delivery_letters_end(&all);
        assert_int_equal(all.bytes, 0);
}
WORLD_CASE(within_bounds)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read_once),
                cmocka_unit_test(test_within_bounds),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
