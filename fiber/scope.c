/* SPDX-License-Identifier: ISC */
#include "base/check.h"
#include "fiber/sched.h"

void scope_open(struct scope *scope, struct sched *s, int64_t deadline_ms)
{
        struct fiber *f = sched_current(s);
        struct scope *parent = f != NULL && f->shields == 0 ? f->scope : NULL;
        *scope = (struct scope){.sched = s, .parent = parent, .owner = f, .deadline_ms = deadline_ms};
        if (f != NULL)
                f->scopes++;
        if (parent == NULL)
                return;
        if (parent->deadline_ms < deadline_ms)
                scope->deadline_ms = parent->deadline_ms;
        scope->cancelled = parent->cancelled;
        scope->sibling = parent->children;
        scope->link = &parent->children;
        if (scope->sibling != NULL)
                scope->sibling->link = &scope->sibling;
        parent->children = scope;
}

static void close_scope(struct scope *scope)
{
        CHECK(scope->children == NULL && scope->members == NULL);
        scope->owner->scopes--;
        if (scope->link != NULL) {
                *scope->link = scope->sibling;
                if (scope->sibling != NULL)
                        scope->sibling->link = scope->link;
        }
        *scope = (struct scope){0};
}

void scope_add(struct scope *scope, struct fiber *f)
{
        f->scope = scope;
        f->member_next = scope->members;
        f->member_link = &scope->members;
        if (f->member_next != NULL)
                f->member_next->member_link = &f->member_next;
        scope->members = f;
        scope->count++;
}

void scope_remove(struct scope *scope, struct fiber *f)
{
        *f->member_link = f->member_next;
        if (f->member_next != NULL)
                f->member_next->member_link = f->member_link;
        scope->count--;
        if (scope->count == 0 && scope->joiner != NULL)
                fiber_wake(scope->joiner);
}

enum err scope_spawn(struct scope *scope, const char *name, void (*fn)(void *arg), void *arg)
{
        CHECK(scope->sched != NULL); /* still open */
        if (scope->cancelled)
                return ERR_CANCELLED;
        return sched_start(scope, name, fn, arg);
}

void scope_cancel(struct scope *scope)
{
        scope->cancelled = true;
        for (struct fiber *f = scope->members; f != NULL; f = f->member_next)
                if (f->state == FIBER_PARKED && f->cancellable && f->shields == 0)
                        sched_ready(f, ERR_CANCELLED);
        for (struct scope *child = scope->children; child != NULL; child = child->sibling)
                if (!child->cancelled)
                        scope_cancel(child);
}

enum err scope_join(struct scope *scope)
{
        struct sched *s = scope->sched;
        CHECK(s != NULL && scope->owner != NULL && scope->owner == sched_current(s));
        enum err err = ERR_OK;
        if (sched_is_cancelled(scope->owner)) {
                err = ERR_CANCELLED;
                scope_cancel(scope);
        }
        scope->joiner = scope->owner;
        while (scope->count > 0) {
                enum park_mode mode = err == ERR_OK ? PARK_CANCELLABLE : PARK_FIRM;
                if (sched_park(s, FIBER_NEVER, mode) == ERR_CANCELLED) {
                        err = ERR_CANCELLED;
                        scope_cancel(scope);
                }
        }
        close_scope(scope);
        return err;
}

const char *scope_fiber_name(const struct scope *scope)
{
        for (const struct scope *child = scope->children; child != NULL; child = child->sibling) {
                const char *name = scope_fiber_name(child);
                if (name != NULL)
                        return name;
        }
        return scope->members != NULL ? scope->members->name : NULL;
}
