/* SPDX-License-Identifier: ISC */
/* Every statement that the store runs, by name, and the steps from each schema to the next. */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#define SCHEMA_VERSION 1
#define SCHEMA_APPLICATION 0x50747430 /* "Ptt0", in the database's header */

/* schema_steps[n] leads from version n to n + 1. */
extern const char *const schema_steps[SCHEMA_VERSION];

enum sql {
        SQL_BEGIN,
        SQL_COMMIT,
        SQL_ROLLBACK,
        SQL_SAVEPOINT,
        SQL_RELEASE,
        SQL_ROLLBACK_TO,
        /* lists */
        SQL_LIST_FIND,
        SQL_LIST_GET,
        SQL_LIST_ADD,
        SQL_SETTINGS,
        SQL_SETTING_PUT,
        SQL_SETTING_DROP,
        SQL_MEMBER_FIND,
        SQL_MEMBER_GET,
        SQL_MEMBER_ADD,
        SQL_MEMBER_REMOVE,
        SQL_MEMBERS,
        SQL_MEMBERS_NEXT,
        SQL_MEMBER_LAST,
        SQL_MODERATORS,
        SQL_MODERATOR_ADD,
        SQL_MODERATOR_REMOVE,
        /* messages */
        SQL_MESSAGE_ADD,
        SQL_MESSAGE_GET,
        SQL_MESSAGE_TICKET,
        SQL_MESSAGE_PARTS,
        SQL_MESSAGES_OPEN,
        SQL_MESSAGE_SIGN,
        SQL_MESSAGE_FINISH,
        SQL_MESSAGES_FORGET,
        SQL_MESSAGE_DROP,
        SQL_EXTENT_ADD,
        SQL_EXTENTS,
        SQL_EXTENTS_DROP,
        SQL_RECIPIENT_ADD,
        SQL_RECIPIENTS,
        SQL_RECIPIENTS_DROP,
        /* deliveries */
        SQL_POST_ADD,
        SQL_POST_NEXT,
        SQL_POST_MOVE,
        SQL_POST_DROP,
        SQL_POST_TURN,
        SQL_DELIVERY_ADD,
        SQL_DELIVERY_DUE,
        SQL_DELIVERY_FLY,
        SQL_DELIVERY_NEXT,
        SQL_DELIVERY_GET,
        SQL_DELIVERY_DROP,
        SQL_DELIVERY_DEFER,
        SQL_DELIVERY_RETURN,
        SQL_FAILURE_ADD,
        SQL_FAILURE_BOUNCE,
        SQL_FAILURES_FORGET,
        SQL_FAILURE_DROP,
        SQL_HOT_END, /* those above search by index and never scan; those below are for start and operator */
        SQL_LISTS = SQL_HOT_END,
        SQL_DOMAINS,
        SQL_DOMAIN_MODERATORS,
        SQL_MEMBER_COUNT,
        SQL_QUEUE,
        SQL_QUEUE_WAITING,
        SQL_BACKLOG,
        SQL_FAILURES,
        SQL_HOLD,
        SQL_HOLD_POST,
        SQL_HOLD_DELIVERIES,
        SQL_FLUSH,
        SQL_DROP_DELIVERIES,
        SQL_DROP_SIGN,
        SQL_RECOVER,
        SQL_DELIVERY_HASTEN,
        SQL_ALL_EXTENTS,
        SQL_EXTENT_DROP,
        SQL_BALLAST_ADD,
        SQL_BALLAST_DROP,
        SQL_PAGES_FREE,
        SQL_INTEGRITY,
        SQL_FOREIGN_KEYS,
        SQL_REINDEX,
        SQL_EXTENT_COUNT,
        SQL_SIZES_WRONG,
        SQL_COUNT
};

extern const char *const sql_text[SQL_COUNT];

#endif
