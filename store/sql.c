/* SPDX-License-Identifier: ISC */
#include "store/sql.h"

#define MESSAGE_COLUMNS                                                                                  \
        "SELECT id, coalesce(list, 0), kind, state, flags, received_ms, length(prefix), length(front), " \
        "body_size,"                                                                                     \
        " ticket, domain, sender, message_id, probe FROM message "

#define REQUEST_COLUMNS                                                                                \
        "SELECT r.id, r.list, l.name, l.domain, r.purpose, r.address, r.data, coalesce(r.message, 0)," \
        " r.made_ms, r.told_ms FROM request r CROSS JOIN list l ON l.id = r.list "

#define DELIVERY_COLUMNS                                                              \
        "SELECT d.id, d.message, coalesce(m.list, 0), d.member, d.address, d.domain," \
        " d.attempts, d.first_ms FROM "

#define UNLESS_SKIPPED(message, member) \
        " AND NOT EXISTS (SELECT 1 FROM skip WHERE message = " message " AND member = " member ")"

/* The members who are still to get the post that is message m. */
#define POST_LEFT                                                                                   \
        "post p CROSS JOIN member b INDEXED BY member_mail ON b.list = p.list AND b.id > p.reached" \
        " AND b.id <= p.bound AND b.options & 1 = 0 WHERE p.message = m.id" UNLESS_SKIPPED("m.id", "b.id")

/* ?4 bounds what is counted. */
#define TRACE_COLUMNS                                                                                \
        "SELECT m.id, coalesce(m.list, 0), coalesce((SELECT name FROM list WHERE id = m.list), '')," \
        " m.domain, m.sender, m.message_id, m.state, m.held, m.received_ms,"                         \
        " (SELECT count(*) FROM (SELECT 1 FROM " POST_LEFT " LIMIT ?4)), t.text"                     \
        " FROM trace t CROSS JOIN message m ON m.id = t.message "

/* ?2 as delivery.next_ms, negative when the message is held. */
#define UNLESS_HELD \
        "CASE WHEN (SELECT held FROM message WHERE id = delivery.message) THEN -1 - ?2 ELSE ?2 END"

#define SCORE_COLUMNS                                                                                        \
        "SELECT m.id, m.list, m.address, coalesce(s.provider, ''), coalesce(s.halves, 0), coalesce(s.days, " \
        "0),"                                                                                                \
        " coalesce(s.is_smtp, 0), coalesce(s.failed_ms, 0), coalesce(s.last_ms, 0), "                        \
        "coalesce(s.last_halves, 0),"                                                                        \
        " coalesce(s.before_ms, 0), coalesce(s.before_halves, 0), coalesce(s.probe, 0), "                    \
        "coalesce(s.probe_ms, 0),"                                                                           \
        " coalesce(s.seen_ms, 0), coalesce(s.reply, '') FROM "

#define VERDICT_COLUMNS                                                                          \
        "SELECT v.id, v.list, v.member, v.kind, v.address, v.reply, v.time_ms, l.name, l.domain" \
        " FROM verdict v CROSS JOIN list l ON l.id = v.list "

#define FAILURE_COLUMNS                                                                \
        "SELECT f.id, f.member, f.message, coalesce(l.name, ''), f.domain, f.address," \
        " f.message_id, f.reply, f.code, f.time_ms FROM failure f LEFT JOIN list l ON l.id = f.list "

/* The newest ?3 posts to list ?1 since ?2. */
#define REPORT_POSTS                                                                                       \
        "(SELECT id, state, received_ms FROM message INDEXED BY message_list WHERE list = ?1 AND kind = 1" \
        " AND received_ms >= ?2 ORDER BY received_ms DESC LIMIT ?3)"

/* Deliveries of message ?1 that begin at ?2; each row has the next three numbers. */
#define FLYING                                                                                         \
        "INSERT INTO delivery (message, first_ms, member, address, domain, attempts, next_ms, reply) " \
        "VALUES "
#define FLYING_ROW "(?1, ?2, ?, ?, ?, 0, NULL, '')"
#define FLYING_4 FLYING_ROW ", " FLYING_ROW ", " FLYING_ROW ", " FLYING_ROW

const char *const sql_text[SQL_COUNT] = {
        [SQL_BEGIN] = "BEGIN IMMEDIATE",
        [SQL_COMMIT] = "COMMIT",
        [SQL_ROLLBACK] = "ROLLBACK",
        [SQL_SAVEPOINT] = "SAVEPOINT request",
        [SQL_RELEASE] = "RELEASE request",
        [SQL_ROLLBACK_TO] = "ROLLBACK TO request",

        [SQL_LIST_FIND] = "SELECT id, name, domain FROM list WHERE domain = ?1 AND name = ?2",
        [SQL_LIST_GET] = "SELECT id, name, domain FROM list WHERE id = ?1",
        [SQL_LIST_ADD] = "INSERT INTO list (name, domain) VALUES (?1, ?2)",
        [SQL_SETTINGS] = "SELECT name, value FROM setting WHERE list = ?1 ORDER BY name",
        [SQL_SETTING_PUT] = "INSERT INTO setting (list, name, value) VALUES (?1, ?2, ?3)"
                            " ON CONFLICT DO UPDATE SET value = excluded.value",
        [SQL_SETTING_DROP] = "DELETE FROM setting WHERE list = ?1 AND name = ?2",
        [SQL_MEMBER_FIND] =
                "SELECT id, list, address, joined_ms, options FROM member WHERE list = ?1 AND address = ?2",
        [SQL_MEMBER_GET] = "SELECT id, list, address, joined_ms, options FROM member WHERE id = ?1",
        [SQL_MEMBER_ADD] = "INSERT INTO member (list, address, joined_ms, options) VALUES (?1, ?2, ?3, ?4)",
        [SQL_MEMBER_REMOVE] = "DELETE FROM member WHERE list = ?1 AND address = ?2",
        [SQL_MEMBER_OPTIONS] =
                "UPDATE member SET options = options & ~?3 | ?4 WHERE list = ?1 AND address = ?2",
        [SQL_MEMBERS] = "SELECT id, list, address, joined_ms, options FROM member WHERE list = ?1 AND id > ?2"
                        " ORDER BY id LIMIT ?3",
        [SQL_MEMBERS_NEXT] = "SELECT id, address FROM member INDEXED BY member_mail"
                             " WHERE list = ?1 AND id > ?2 AND id <= ?3 AND options & 1 = 0" UNLESS_SKIPPED(
                                     "?5", "member.id") " ORDER BY id LIMIT ?4",
        [SQL_MEMBER_LAST] = "SELECT coalesce(max(id), 0) FROM member WHERE list = ?1",
        [SQL_MODERATORS] = "SELECT address FROM moderator WHERE list = ?1 ORDER BY folded",
        [SQL_MODERATOR_FIND] = "SELECT 1 FROM moderator WHERE list = ?1 AND folded = ?2",
        [SQL_MODERATOR_ADD] = "INSERT INTO moderator (list, folded, address) VALUES (?1, ?2, ?3)",
        [SQL_MODERATOR_REMOVE] = "DELETE FROM moderator WHERE list = ?1 AND folded = ?2",

        [SQL_BAN_PUT] = "INSERT INTO ban (list, address, made_by, made_ms, until_ms)"
                        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET made_by = excluded.made_by,"
                        " made_ms = excluded.made_ms, until_ms = excluded.until_ms",
        [SQL_BAN_REMOVE] = "DELETE FROM ban WHERE list = ?1 AND address = ?2",
        [SQL_BAN_FIND] = "SELECT 1 FROM ban WHERE list = ?1 AND address = ?2"
                         " AND (until_ms = 0 OR until_ms > ?3)",
        [SQL_BANS_EXPIRE] = "SELECT list, address FROM ban WHERE until_ms > 0 AND until_ms <= ?1"
                            " ORDER BY until_ms LIMIT ?2",

        [SQL_REQUEST_ADD] = "INSERT INTO request (list, purpose, address, domain, data, message, made_ms)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, nullif(?6, 0), ?7)",
        [SQL_REQUEST_GET] = REQUEST_COLUMNS "WHERE r.id = ?1",
        [SQL_REQUEST_FIND] = REQUEST_COLUMNS
        "WHERE r.list = ?1 AND r.purpose = ?2 AND r.address = ?3 AND r.message IS NULL",
        [SQL_REQUEST_OF_POST] = REQUEST_COLUMNS "WHERE r.message = ?1",
        [SQL_REQUEST_TELL] = "UPDATE request SET told_ms = ?2 WHERE id = ?1",
        [SQL_REQUEST_END] = "DELETE FROM request WHERE id = ?1",
        [SQL_REQUESTS_OF_LIST] = "SELECT count(*) FROM request WHERE list = ?1",
        [SQL_REQUESTS_OF_DOMAIN] = "SELECT count(*) FROM request WHERE list = ?1 AND domain = ?2",
        [SQL_REQUESTS_OF_POSTER] =
                "SELECT count(*) FROM request WHERE list = ?1 AND address = ?2 AND message IS NOT NULL",
        [SQL_REQUESTS_OLD] = REQUEST_COLUMNS "WHERE r.made_ms < ?1 ORDER BY r.made_ms LIMIT ?2",
        [SQL_NOTICE_ADD] = "INSERT INTO notice (list, kind, address, request, data, made_ms)"
                           " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        [SQL_NOTICES] = "SELECT id, list, kind, address, request, data, made_ms FROM notice WHERE id > ?1"
                        " ORDER BY id LIMIT ?2",
        [SQL_NOTICE_DROP] = "DELETE FROM notice WHERE id = ?1",

        [SQL_MESSAGE_ADD] =
                "INSERT INTO message (ticket, kind, state, list, domain, sender, message_id, flags,"
                " received_ms, body_size, front, prefix, probe)"
                " VALUES (?1, ?2, ?11, nullif(?3, 0), ?4, ?5, ?6, ?7, ?8, ?9, ?10, x'', ?12)",
        [SQL_MESSAGE_GET] = MESSAGE_COLUMNS "WHERE id = ?1",
        [SQL_MESSAGE_TICKET] = MESSAGE_COLUMNS "WHERE ticket = ?1",
        [SQL_MESSAGE_PARTS] = "SELECT prefix, front FROM message WHERE id = ?1 AND state <> 3",
        [SQL_POSTS_OPEN] = "SELECT id FROM message INDEXED BY message_open WHERE state = 1 AND held = 0"
                           " AND kind = 1 AND id > ?1 ORDER BY id LIMIT ?2",
        [SQL_FORWARDS_OPEN] = "SELECT id FROM message INDEXED BY message_forward WHERE state = 1 AND held = 0"
                              " AND kind = 2 AND id > ?1 ORDER BY id LIMIT ?2",
        [SQL_MESSAGE_SIGN] = "UPDATE message SET state = 2, prefix = ?2 WHERE id = ?1 AND state = 1",
        [SQL_MESSAGE_DECIDE] = "UPDATE message SET state = ?2 WHERE id = ?1 AND state = 4",
        [SQL_MESSAGE_FINISH] = "UPDATE message SET state = 3, prefix = x'', front = x''"
                               " WHERE id = ?1 AND state = 2"
                               " AND NOT EXISTS (SELECT 1 FROM delivery WHERE message = ?1)"
                               " AND NOT EXISTS (SELECT 1 FROM post WHERE message = ?1)",
        [SQL_MESSAGES_FORGET] = "SELECT id FROM message WHERE state = 3 AND received_ms < ?1"
                                " ORDER BY received_ms LIMIT ?2",
        [SQL_MESSAGE_DROP] = "DELETE FROM message WHERE id = ?1",
        [SQL_EXTENT_ADD] = "INSERT INTO extent (message, place, segment, block, size, crc)"
                           " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        [SQL_EXTENTS] = "SELECT segment, block, size, crc FROM extent WHERE message = ?1 ORDER BY place",
        [SQL_EXTENTS_DROP] = "DELETE FROM extent WHERE message = ?1",
        [SQL_RECIPIENT_ADD] = "INSERT INTO recipient (message, place, address) VALUES (?1, ?2, ?3)",
        [SQL_RECIPIENTS] = "SELECT address FROM recipient WHERE message = ?1 ORDER BY place",
        [SQL_RECIPIENTS_DROP] = "DELETE FROM recipient WHERE message = ?1",
        [SQL_SKIP_ADD] = "INSERT INTO skip (message, member) SELECT ?1, id FROM member"
                         " WHERE list = ?2 AND address = ?3 ON CONFLICT DO NOTHING",
        [SQL_SKIPS_DROP] = "DELETE FROM skip WHERE message = ?1",
        [SQL_TRACE_ADD] = "INSERT INTO trace (message, message_id, text) VALUES (?1, ?2, ?3)",
        [SQL_TRACE_GET] = "SELECT text FROM trace WHERE message = ?1",
        [SQL_TRACE_PUT] = "UPDATE trace SET text = ?2 WHERE message = ?1",
        [SQL_TRACES] = TRACE_COLUMNS "WHERE t.message_id = ?1 ORDER BY t.message LIMIT ?2",
        [SQL_TRACES_OF_LIST] =
                TRACE_COLUMNS "WHERE t.message_id = ?1 AND m.list = ?3 ORDER BY t.message LIMIT ?2",
        [SQL_TRACES_OLD] = "SELECT t.message, (SELECT received_ms FROM message WHERE id = t.message)"
                           " FROM trace t WHERE t.message > 0 ORDER BY t.message LIMIT ?1",
        [SQL_TRACE_DROP] = "DELETE FROM trace WHERE message = ?1",

        [SQL_POST_ADD] = "INSERT INTO post (message, list, reached, bound, turn) VALUES (?1, ?2, 0, ?3,"
                         " CASE WHEN (SELECT held FROM message WHERE id = ?1) THEN -?4 ELSE ?4 END)",
        [SQL_POST_NEXT] =
                "SELECT message, list, reached, bound FROM post WHERE turn > 0 ORDER BY turn LIMIT 1",
        [SQL_POST_MOVE] = "UPDATE post SET reached = ?2, turn = ?3 WHERE message = ?1",
        [SQL_POST_DROP] = "DELETE FROM post WHERE message = ?1",
        [SQL_POST_TURN] = "SELECT turn FROM post WHERE turn > 0 ORDER BY turn DESC LIMIT 1",
        [SQL_DELIVERY_ADD] =
                "INSERT INTO delivery (message, member, address, domain, attempts, first_ms, next_ms,"
                " reply) VALUES (?1, ?2, ?3, ?4, 0, ?5,"
                " CASE WHEN (SELECT held FROM message WHERE id = ?1) THEN -1 - ?6 ELSE ?6 END, '')",
        [SQL_DELIVERY_FLY_ONE] = FLYING FLYING_ROW,
        [SQL_DELIVERIES_FLY] = FLYING FLYING_4 ", " FLYING_4 ", " FLYING_4 ", " FLYING_4,
        [SQL_DELIVERY_DUE] = DELIVERY_COLUMNS "delivery d CROSS JOIN message m ON m.id = d.message"
                                              " WHERE d.next_ms BETWEEN 0 AND ?1 ORDER BY d.next_ms LIMIT ?2",
        [SQL_DELIVERY_URGENT] =
                DELIVERY_COLUMNS "delivery d INDEXED BY delivery_urgent CROSS JOIN message m"
                                 " ON m.id = d.message WHERE d.member = 0 AND d.next_ms BETWEEN 0 AND ?1"
                                 " ORDER BY d.next_ms LIMIT ?2",
        [SQL_DELIVERY_FLY] = "UPDATE delivery SET next_ms = NULL WHERE id = ?1",
        [SQL_DELIVERY_NEXT] = "SELECT next_ms FROM delivery WHERE next_ms >= 0 ORDER BY next_ms LIMIT 1",
        [SQL_DELIVERY_GET] =
                "SELECT message, member, address FROM delivery WHERE id = ?1 AND next_ms IS NULL",
        [SQL_DELIVERY_DROP] = "DELETE FROM delivery WHERE id = ?1",
        [SQL_DELIVERY_DEFER] =
                "UPDATE delivery SET next_ms = " UNLESS_HELD ", attempts = attempts + 1, reply = ?3"
                " WHERE id = ?1 AND next_ms IS NULL",
        [SQL_DELIVERY_RETURN] =
                "UPDATE delivery SET next_ms = " UNLESS_HELD " WHERE id = ?1 AND next_ms IS NULL",
        [SQL_RESULT_ADD] =
                "INSERT INTO result (message, delivery, member, address, time_ms, code, is_delivered, reply)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        [SQL_RESULTS] = "SELECT delivery, member, address, reply, code, is_delivered, time_ms FROM result"
                        " WHERE message = ?1 AND delivery > ?2 ORDER BY delivery LIMIT ?3",
        [SQL_RESULTS_OLD] = "SELECT r.message, (SELECT received_ms FROM message WHERE id = r.message)"
                            " FROM result r WHERE r.message > 0 ORDER BY r.message, r.delivery LIMIT ?1",
        [SQL_RESULTS_TRIM] = "DELETE FROM result WHERE (message, delivery) IN (SELECT message, delivery"
                             " FROM result WHERE message > 0 ORDER BY message, delivery LIMIT ?1)",
        [SQL_FAILURE_ADD] =
                "INSERT INTO failure (message, member, list, domain, address, message_id, time_ms,"
                " code, reply) SELECT m.id, d.member, m.list, m.domain, d.address, m.message_id,"
                " ?2, ?3, ?4 FROM delivery d JOIN message m ON m.id = d.message WHERE d.id = ?1 AND "
                "d.next_ms IS NULL",
        [SQL_FAILURE_BOUNCE] = "INSERT INTO failure (message, member, list, domain, address, message_id, "
                               "time_ms, code, reply)"
                               " SELECT 0, m.id, m.list, l.domain, m.address, '', ?2, 0, ?3"
                               " FROM member m CROSS JOIN list l ON l.id = m.list WHERE m.id = ?1"
                               " AND (SELECT count(*) FROM failure WHERE member = ?1 AND message = 0"
                               " AND time_ms BETWEEN ?4 AND ?2) <= (SELECT count(*) FROM message"
                               " INDEXED BY message_list WHERE list = m.list AND kind = 1"
                               " AND received_ms BETWEEN ?4 AND ?2)",
        [SQL_ENDED_RESULTS] = "SELECT message, delivery, address, iif(is_delivered, '', reply), code,"
                              " is_delivered, time_ms FROM result"
                              " WHERE (message, delivery) > (?1, ?2) AND member > 0"
                              " AND time_ms BETWEEN ?3 AND ?4 ORDER BY message, delivery LIMIT ?5",
        [SQL_ENDED_BOUNCES] = "SELECT time_ms, id, address, reply, code, 0, time_ms FROM failure"
                              " INDEXED BY failure_time WHERE time_ms BETWEEN max(?1, ?3) AND ?4"
                              " AND (time_ms > ?1 OR id > ?2) AND message = 0 ORDER BY time_ms, id LIMIT ?5",
        [SQL_FAILURES_FORGET] = "SELECT id FROM failure WHERE time_ms < ?1 ORDER BY time_ms LIMIT ?2",
        [SQL_FAILURE_DROP] = "DELETE FROM failure WHERE id = ?1",

        [SQL_SCORE_GET] = SCORE_COLUMNS "member m LEFT JOIN score s ON s.member = m.id WHERE m.id = ?1",
        [SQL_SCORE_PUT] = "REPLACE INTO score (member, provider, halves, days, is_smtp, failed_ms, last_ms, "
                          "last_halves,"
                          " before_ms, before_halves, probe, probe_ms, seen_ms, reply)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        [SQL_SCORE_DROP] = "DELETE FROM score WHERE member = ?1 AND seen_ms = ?2",
        [SQL_SCORE_DELIVERED] =
                "UPDATE score SET halves = iif(is_smtp, 0, halves), days = iif(is_smtp, 0, days),"
                " failed_ms = iif(is_smtp, 0, failed_ms), last_halves = iif(is_smtp, 0, last_halves),"
                " before_ms = iif(is_smtp, 0, before_ms), before_halves = iif(is_smtp, 0, before_halves),"
                " probe_ms = iif(probe = 1 AND (SELECT probe FROM message WHERE id = ?2), ?3, probe_ms),"
                " probe = CASE WHEN is_smtp THEN 0 WHEN (SELECT probe FROM message WHERE id = ?2) THEN 2"
                " ELSE probe END, is_smtp = 0 WHERE member = ?1 AND (is_smtp OR probe = 1)",
        [SQL_SCORES_COUNT] = "SELECT count(*) FROM (SELECT 1 FROM score WHERE provider = ?1"
                             " AND seen_ms >= ?2 LIMIT ?3)",
        [SQL_BREAKER_GET] = "SELECT until_ms FROM breaker WHERE provider = ?1",
        [SQL_BREAKER_ADD] = "INSERT INTO breaker (provider, until_ms) VALUES (?1, ?2)"
                            " ON CONFLICT DO UPDATE SET until_ms = excluded.until_ms",
        [SQL_BREAKER_DROP] = "DELETE FROM breaker WHERE provider = ?1 AND until_ms < ?2",
        [SQL_BREAKER_TELL] = "INSERT INTO breaker_told (provider, list) VALUES (?1, ?2)",
        [SQL_VERDICT_ADD] = "INSERT INTO verdict (list, member, kind, address, reply, time_ms)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        [SQL_VERDICTS_OF] =
                VERDICT_COLUMNS "WHERE v.list = ?4 AND v.id > ?1 AND v.id <= ?2 ORDER BY v.id LIMIT ?3",
        [SQL_BOUNCE_PUT] = "REPLACE INTO bounce (member, list, time_ms, bytes) VALUES (?1, ?2, ?3, ?4)",
        [SQL_BOUNCE_GET] = "SELECT bytes FROM bounce WHERE member = ?1",
        [SQL_BOUNCES_TRIM] = "DELETE FROM bounce WHERE id IN (SELECT id FROM bounce WHERE id > 0 ORDER BY id"
                             " LIMIT max(0, (SELECT count(*) FROM bounce WHERE member > 0) - ?1))",
        [SQL_FAILURES_OF] =
                FAILURE_COLUMNS "WHERE f.list = ?4 AND f.id > ?1 AND f.id <= ?2 ORDER BY f.id LIMIT ?3",
        [SQL_TOLD_NEXT] =
                "SELECT l.id, t.list IS NOT NULL, coalesce(t.digest_ms, 0), coalesce(t.digest_failure, 0),"
                " coalesce(t.digest_verdict, 0), coalesce(t.report_ms, 0), coalesce(t.report_member, 0),"
                " coalesce(t.report_verdict, 0), coalesce(t.report_members, 0),"
                " (SELECT coalesce(max(id), 0) FROM failure WHERE list = l.id),"
                " (SELECT coalesce(max(id), 0) FROM verdict WHERE list = l.id),"
                " (SELECT coalesce(max(id), 0) FROM member WHERE list = l.id)"
                " FROM list l LEFT JOIN told t ON t.list = l.id WHERE l.id > ?1 ORDER BY l.id LIMIT 1",
        [SQL_TOLD_PUT] = "REPLACE INTO told (list, digest_ms, digest_failure, digest_verdict, report_ms,"
                         " report_member, report_verdict, report_members)"
                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",

        [SQL_LISTS] = "SELECT id, name, domain FROM list WHERE ?1 = '' OR domain = ?1 ORDER BY domain, name",
        [SQL_DOMAINS] = "SELECT DISTINCT domain FROM list ORDER BY domain",
        [SQL_DOMAIN_MODERATORS] = "SELECT min(address) FROM moderator WHERE list IN"
                                  " (SELECT id FROM list WHERE domain = ?1) GROUP BY folded ORDER BY folded",
        [SQL_MEMBER_COUNT] = "SELECT count(*) FROM member WHERE list = ?1",
        [SQL_BANS] = "SELECT b.list, l.name, l.domain, b.address, b.made_by, b.made_ms, b.until_ms"
                     " FROM ban b CROSS JOIN list l ON l.id = b.list WHERE b.list = ?1 AND b.address > ?2"
                     " ORDER BY b.address LIMIT ?3",
        [SQL_REQUESTS] = REQUEST_COLUMNS "WHERE r.id > ?1 ORDER BY r.id LIMIT ?2",
        [SQL_REQUESTS_AT] = REQUEST_COLUMNS "WHERE r.list = ?3 AND r.id > ?1 ORDER BY r.id LIMIT ?2",
        [SQL_QUEUE] =
                "SELECT m.id, coalesce(m.list, 0), coalesce(l.name, ''), m.domain, m.sender, m.message_id,"
                " m.state, m.received_ms, m.body_size, m.held, CASE WHEN m.state = 1 THEN"
                "  (SELECT count(*) FROM recipient WHERE message = m.id)"
                " ELSE (SELECT count(*) FROM " POST_LEFT ") END,"
                " (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE message = m.id LIMIT ?3)),"
                " coalesce((SELECT text FROM trouble WHERE message = m.id AND m.state = 1), '')"
                " FROM message m LEFT JOIN list l ON l.id = m.list WHERE m.id IN"
                " (SELECT id FROM (SELECT id FROM message WHERE state < 3 AND id > ?1 ORDER BY id LIMIT ?2)"
                "  UNION ALL SELECT id FROM"
                "  (SELECT id FROM message WHERE state = 4 AND id > ?1 ORDER BY id LIMIT ?2))"
                " ORDER BY m.id LIMIT ?2",
        [SQL_QUEUE_WAITING] = "SELECT id, message, member, address, reply, attempts, next_ms IS NULL,"
                              " max(coalesce(next_ms, 0), -1 - coalesce(next_ms, 0)) FROM delivery WHERE "
                              "message = ?1 AND id > ?2"
                              " ORDER BY id LIMIT ?3",
        [SQL_BACKLOG] =
                "SELECT (SELECT count(*) FROM (SELECT 1 FROM message WHERE state = 1 AND held = 0 LIMIT ?1)),"
                " (SELECT count(*) FROM (SELECT 1 FROM message WHERE state < 3 LIMIT ?1)),"
                " (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE next_ms IS NOT NULL LIMIT ?1)),"
                " coalesce((SELECT received_ms FROM message WHERE state < 3 ORDER BY id LIMIT 1), 0),"
                " (SELECT count(*) FROM (SELECT 1 FROM message WHERE state = 4 LIMIT ?1)),"
                " (SELECT count(*) FROM (SELECT 1 FROM request LIMIT ?1)),"
                " (SELECT count(*) FROM (SELECT 1 FROM notice LIMIT ?1))",
        [SQL_FAILURES] = FAILURE_COLUMNS "WHERE f.id > ?1 ORDER BY f.id LIMIT ?2",
        [SQL_HOLD] = "UPDATE message SET held = ?2 WHERE id = ?1 AND state < 3",
        [SQL_HOLD_POST] = "UPDATE post SET turn = CASE WHEN ?2 THEN -abs(turn) ELSE abs(turn) END"
                          " WHERE message = ?1",
        [SQL_HOLD_DELIVERIES] =
                "UPDATE delivery SET next_ms = CASE WHEN ?2 THEN min(next_ms, -1 - next_ms)"
                " ELSE max(next_ms, -1 - next_ms) END WHERE message = ?1 AND next_ms IS NOT NULL",
        [SQL_FLUSH] = "UPDATE delivery SET next_ms = 0 WHERE message = ?1 AND next_ms IS NOT NULL",
        [SQL_DROP_DELIVERIES] = "DELETE FROM delivery WHERE message = ?1",
        [SQL_DROP_REQUEST] = "DELETE FROM request WHERE message = ?1",
        [SQL_DROP_SIGN] = "UPDATE message SET state = 2 WHERE id = ?1 AND state = 1",
        [SQL_RECOVER] = "UPDATE delivery SET next_ms ="
                        " CASE WHEN (SELECT held FROM message WHERE id = delivery.message) THEN -1 ELSE 0 END"
                        " WHERE next_ms IS NULL",
        [SQL_DELIVERY_HASTEN] = "UPDATE delivery SET next_ms = ?1 WHERE next_ms > ?1",
        [SQL_ALL_EXTENTS] = "SELECT segment, block, size, crc, message, place FROM extent",
        [SQL_EXTENT_DROP] = "DELETE FROM extent WHERE message = ?1 AND place = ?2",
        [SQL_BALLAST_ADD] = "INSERT INTO ballast (bytes) VALUES (zeroblob(?1))",
        [SQL_BALLAST_DROP] = "DELETE FROM ballast",
        [SQL_PAGES_FREE] = "PRAGMA freelist_count",
        [SQL_INTEGRITY] = "PRAGMA integrity_check(100)",
        [SQL_FOREIGN_KEYS] = "PRAGMA foreign_key_check",
        [SQL_REINDEX] = "REINDEX",
        [SQL_EXTENT_COUNT] = "SELECT count(*) FROM extent",
        [SQL_SIZES_WRONG] = "SELECT id FROM message m WHERE state <> 3 AND body_size !="
                            " (SELECT coalesce(sum(size), 0) FROM extent WHERE message = m.id)",
        [SQL_WAITING_LOST] = "SELECT id FROM message m WHERE state = 4"
                             " AND NOT EXISTS (SELECT 1 FROM request WHERE message = m.id)",
        [SQL_REQUESTS_LOST] = "SELECT r.message FROM request r JOIN message m ON m.id = r.message"
                              " WHERE r.message IS NOT NULL AND m.state <> 4",
        [SQL_REQUESTS_MEND] =
                "DELETE FROM request WHERE message IN (SELECT id FROM message WHERE state <> 4)",
        [SQL_RESULT_COUNT] = "SELECT count(*) FROM result",
        [SQL_SCORES] = SCORE_COLUMNS "score s CROSS JOIN member m ON m.id = s.member WHERE s.member > ?1"
                                     " ORDER BY s.member LIMIT ?2",
        [SQL_SCORES_AT] =
                SCORE_COLUMNS "score s CROSS JOIN member m ON m.id = s.member WHERE s.member > ?1"
                              " AND +s.provider = ?3 AND s.seen_ms >= ?4 ORDER BY s.member LIMIT ?2",
        [SQL_VERDICTS] = VERDICT_COLUMNS "WHERE v.id > ?1 AND v.id <= ?2 ORDER BY v.id LIMIT ?3",
        [SQL_VERDICTS_FORGET] = "DELETE FROM verdict WHERE id IN (SELECT id FROM verdict WHERE time_ms < ?1"
                                " ORDER BY time_ms LIMIT ?2)",
        [SQL_BOUNCES_FORGET] = "DELETE FROM bounce WHERE id IN (SELECT id FROM bounce WHERE time_ms < ?1"
                               " ORDER BY time_ms LIMIT ?2)",
        [SQL_BREAKERS_FORGET] = "DELETE FROM breaker WHERE provider IN (SELECT provider FROM breaker"
                                " WHERE until_ms < ?1 ORDER BY until_ms LIMIT ?2)",
        [SQL_REPORT_PEOPLE] = "SELECT (SELECT count(*) FROM member WHERE list = ?1),"
                              " (SELECT count(*) FROM member WHERE list = ?1 AND id > ?2),"
                              " (SELECT count(*) FROM request WHERE list = ?1),"
                              " (SELECT count(*) FROM verdict WHERE list = ?1 AND id > ?3 AND kind = 2)",
        [SQL_REPORT_POSTS] =
                "SELECT count(*), coalesce(sum(state = 4), 0), coalesce(sum((SELECT count(*) FROM delivery"
                " WHERE message = p.id AND attempts > 0)), 0), coalesce(min(CASE WHEN EXISTS"
                " (SELECT 1 FROM delivery WHERE message = p.id) THEN received_ms END), 0) FROM " REPORT_POSTS
                " p",
        [SQL_REPORT_RESULTS] =
                "SELECT substr(r.address, instr(r.address, '@') + 1) AS provider, sum(r.is_delivered),"
                " sum(NOT r.is_delivered), CAST(coalesce(avg(iif(r.is_delivered, r.time_ms - p.received_ms, "
                "NULL)),"
                " 0) AS INTEGER) FROM " REPORT_POSTS
                " p CROSS JOIN result r ON r.message = p.id GROUP BY lower(provider) ORDER BY 4 DESC",

        [SQL_ALARM_GET] = "SELECT is_on, is_told, since_ms, told_ms FROM alarm WHERE name = ?1",
        [SQL_ALARM_PUT] = "INSERT OR REPLACE INTO alarm (name, is_on, is_told, since_ms, told_ms)"
                          " VALUES (?1, ?2, ?3, ?4, ?5)",
        [SQL_OBEYED_ADD] = "INSERT INTO obeyed (message_id, time_ms) VALUES (?1, ?2)",
        [SQL_OBEYED_FORGET] = "DELETE FROM obeyed WHERE time_ms < ?1",
        [SQL_TROUBLE_PUT] = "INSERT INTO trouble (message, code, text) VALUES (?1, ?2, ?3) ON CONFLICT DO"
                            " UPDATE SET code = ?2, text = ?3 WHERE code <> ?2 OR text <> ?3",
        [SQL_TROUBLES_REFUSED] = "SELECT count(*) FROM (SELECT 1 FROM message m CROSS JOIN trouble t"
                                 " ON t.message = m.id WHERE m.state = 1 AND m.held = 0 AND t.code >= 500"
                                 " LIMIT ?1)",
        [SQL_QUEUE_DESTINATIONS] =
                "SELECT domain, max(reply), count(*) AS many, max(attempts),"
                " min(max(coalesce(next_ms, 0), -1 - coalesce(next_ms, 0)))"
                " FROM (SELECT domain, reply, attempts, next_ms FROM delivery LIMIT ?1)"
                " GROUP BY domain, substr(reply, 1, 9) ORDER BY many DESC, domain, 2 LIMIT ?2",
        [SQL_QUEUE_FLUSH_ALL] = "UPDATE delivery SET next_ms = 0 WHERE next_ms > 0",

        [SQL_STS_GET] = "SELECT domain, policy_id, policy, fetched_ms, expires_ms FROM sts"
                        " WHERE domain = ?1 AND expires_ms > ?2",
        [SQL_STS_PUT] = "INSERT OR REPLACE INTO sts (domain, policy_id, policy, fetched_ms, expires_ms)"
                        " VALUES (?1, ?2, ?3, ?4, ?5)",
        [SQL_STS_EXPIRE] = "DELETE FROM sts WHERE expires_ms <= ?1",
        [SQL_STS_TRIM] = "DELETE FROM sts WHERE domain IN"
                         " (SELECT domain FROM sts ORDER BY expires_ms DESC LIMIT -1 OFFSET ?1)",
};
