/* SPDX-License-Identifier: ISC */
/* Every ceiling of the system, each beside its reason. Sizes in bytes, times with their unit last. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* SMTP: RFC 5321 4.5.3.1 gives the least that must be accepted. */
#define SMTP_LOCAL_PART_MAX 64     /* 4.5.3.1.1 */
#define SMTP_DOMAIN_MAX 255        /* 4.5.3.1.2 */
#define SMTP_PATH_MAX 256          /* 4.5.3.1.3, with its angle brackets */
#define MAIL_ADDRESS_MAX 254       /* a mailbox: a path without its brackets (RFC 3696 erratum 1690) */
#define SMTP_COMMAND_LINE_MAX 2048 /* 4.5.3.1.4 asks for 512; extensions add to it, SMTPUTF8 and ORCPT most */
#define SMTP_REPLY_LINE_MAX 1024   /* 4.5.3.1.5 asks for 512; real servers send longer ones */
#define SMTP_REPLY_TEXT_MAX 4096   /* all lines of one reply that we keep for a log or a failure record */
#define SMTP_REPLY_LINES_MAX 128   /* lines of one reply that we read before we call it an attack */
#define SMTP_RECIPIENTS_MAX 100    /* 4.5.3.1.8: a server must take 100 */
#define SMTP_RECIPIENTS_EXCESS_MAX 10000 /* told to come in another transaction, before 421 */
#define SMTP_ERRORS_MAX 20               /* wrong commands in one session before 421 */
#define SMTP_COMMANDS_IDLE_MAX 200       /* commands that move nothing (NOOP, RSET, VRFY...) before 421 */
#define SMTP_DROP_MAX \
        (64 * 1024 * 1024) /* read and dropped of one message that is too large, before we hang up */
#define SMTP_LINGER_MAX \
        (32 * 1024 * 1024) /* read and dropped behind a final refusal, so that it is not lost */

/* RFC 5321 4.5.3.2: how long each side waits. */
#define SMTP_SERVER_IDLE_MS \
        (5 * 60 * 1000) /* 4.5.3.2.7: one command, however its octets trickle; or one block of a message */
#define SMTP_SERVER_SESSION_MS \
        (30 * 60 * 1000) /* without an accepted message: then the next command is the last */
#define SMTP_SERVER_DATA_MS \
        (10 * 60 * 1000) /* one message, beside what its octets may take: three blocks' time of 4.5.3.2.5 */
#define SMTP_SERVER_DATA_RATE 1024         /* octets of a message that give it one second more */
#define SMTP_SERVER_TLS_MS (60 * 1000)     /* a handshake: two round trips and some arithmetic */
#define SMTP_TARPIT_FREE 2                 /* refusals in a session that never wait */
#define SMTP_TARPIT_MAX_MS (30 * 1000)     /* all that a group of refusals waits; 4.5.3.2 gives minutes */
#define SMTP_LINGER_QUIET_MS 2000          /* without a byte behind a final refusal */
#define SMTP_LINGER_MS (60 * 1000)         /* the same as a whole */
#define SMTP_CLIENT_CONNECT_MS (60 * 1000) /* for TCP's handshake; the next address is tried then */
#define SMTP_CLIENT_QUIT_MS (5 * 1000)     /* for the answer to QUIT: nothing depends on it */
#define SMTP_CLIENT_GREETING_MS (5 * 60 * 1000) /* 4.5.3.2.1 */
#define SMTP_CLIENT_COMMAND_MS (5 * 60 * 1000)  /* 4.5.3.2.2, 4.5.3.2.3 */
#define SMTP_CLIENT_DATA_MS (2 * 60 * 1000)     /* 4.5.3.2.4 */
#define SMTP_CLIENT_BLOCK_MS (3 * 60 * 1000)    /* 4.5.3.2.5 */
#define SMTP_CLIENT_END_MS (10 * 60 * 1000)     /* 4.5.3.2.6 */

/* Messages. */
#define MAIL_LINE_MAX 998 /* RFC 5322 2.1.1, without CRLF */
#define MAIL_LINE_GOAL 78 /* RFC 5322 2.1.1: where folding aims */
#define MAIL_HEADER_MAX \
        (256 * 1024)          /* a header section above this is refused: it is held in memory per session */
#define MAIL_FIELDS_MAX 1000  /* header fields of one message that we index */
#define MAIL_RECEIVED_MAX 100 /* RFC 5321 6.3: a message with more is in a loop */
#define MAIL_MESSAGE_MAX (25 * 1024 * 1024) /* default of --max-message */

/* DKIM. */
#define DKIM_SIGNATURES_MAX 8  /* looked at in one message: each costs a query and an RSA operation */
#define DKIM_TAGS_MAX 32       /* in one tag list */
#define DKIM_COVERED_MAX 512   /* names in h=: each is looked for in the whole header */
#define DKIM_FIELD_MAX 32768   /* a DKIM-Signature that we write: h= names each covered field */
#define DKIM_FUTURE_S 3600     /* how far ahead of our clock t= may be */
#define BODY_HASHES_MAX 16     /* different digests of one body: DKIM and ARC signatures together */
#define DKIM_KEYS_MAX 64       /* parsed keys that are kept */
#define DKIM_KEY_BITS_MIN 1024 /* RFC 8301 3.2 */
#define DKIM_KEY_BITS_MAX 4096 /* RFC 8301 3.2: must be verified up to here; above: refused, for cost */

/* ARC. */
#define ARC_SETS_MAX 50      /* RFC 8617 4.2.1 */
#define ARC_RESULTS_MAX 8192 /* of ARC-Authentication-Results, beside what the message has */
#define ARC_SET_ROOM \
        (2 * DKIM_FIELD_MAX + MAIL_HEADER_MAX + ARC_RESULTS_MAX) /* of the three fields that we write */

/* SPF: RFC 7208 4.6.4. */
#define SPF_LOOKUPS_MAX 10     /* terms that ask the DNS, in one evaluation */
#define SPF_VOIDS_MAX 2        /* of them that are told of no record */
#define SPF_HOSTS_MAX 10       /* of one mx or ptr, whose addresses are asked for */
#define SPF_QUESTIONS_MAX 256  /* room for all that the limits above allow, and as much again for foresight */
#define SPF_EXPANSION_MAX 2048 /* of a domain with macros, before RFC 7208 7.3 cuts it to 253 */
#define SPF_EXPLANATION_MAX 1024 /* a longer one is left out */

/* Authentication-Results. */
#define AUTHRES_RESULTS_MAX \
        32 /* of one field: SPF, DMARC, ARC and all signatures looked at, and as many again */
#define AUTHRES_PROPERTIES_MAX 128 /* of one field */
#define AUTHRES_TEXT_MAX 255       /* of a stranger's text that we write there: a domain's length */

/* DMARC: RFC 9989. */
#define DMARC_WALK_MAX 8 /* 4.10: questions of one tree walk */
#define DMARC_IDENTIFIERS_MAX \
        (DKIM_SIGNATURES_MAX + 1) /* of one message that are looked at: its signatures and SPF */
#define DMARC_QUESTIONS_MAX \
        (DMARC_WALK_MAX * (1 + DMARC_IDENTIFIERS_MAX) + 1) /* all walks, and whether the domain exists */

/* Evaluating a message that comes in. */
#define EVALUATION_MEMORY (192 * 1024) /* questions and answers: a hundred of them, with usual records */
#define EVALUATIONS_ASKING_MAX 128     /* messages that ask the DNS at once, each up to 32 questions */
#define EVALUATION_DNS_MS \
        30000 /* from the final dot on; RFC 5321 4.5.3.2.6 lets the client wait for ten minutes */

/* DNS. */
#define DNS_NAME_MAX 255      /* RFC 1035 3.1, wire form */
#define DNS_LABEL_MAX 63      /* RFC 1035 3.1 */
#define DNS_LABELS_MAX 127    /* what 255 bytes can hold */
#define DNS_MESSAGE_MAX 65535 /* RFC 1035 4.2.2 */
#define DNS_UDP_SIZE 1232     /* what we announce by EDNS: passes every IPv6 path unfragmented */
#define DNS_RECORDS_MAX 512   /* in one message that we read */
#define DNS_CNAME_MAX 8       /* followed in one lookup */
#define DNS_CACHE_ENTRIES_MAX 4096
#define DNS_CACHE_BYTES_MAX (8 * 1024 * 1024)
#define DNS_CACHE_TTL_MAX_S 86400
#define DNS_CACHE_NEGATIVE_TTL_MAX_S 3600 /* RFC 2308 5: one to three hours */
#define DNS_QUERY_TIMEOUT_MS 2000         /* for one try at one server; doubles from round to round */
#define DNS_QUERY_ROUNDS 3                /* over all servers */
#define DNS_QUERIES_MAX 256               /* of the resolver at one time: each holds a socket and a fiber */
#define DNS_SOCKETS_IDLE_MAX 32           /* of the resolver, kept for its next questions */
#define DNS_SOCKET_USES 16                /* questions from one random port, one after another */
#define DNS_SOCKET_IDLE_MS 1000           /* how long one is kept without a question */
#define TSIG_FUDGE_S 300                  /* RFC 8945 10 */
#define TSIG_SECRET_MAX 128               /* a block of SHA-512: HMAC would hash a longer key down */

/* HTTP: the pages for those who watch us. */
#define HTTP_REQUEST_MAX 8192     /* RFC 9112 3 asks for 8000 octets of a request line; head and all here */
#define HTTP_REQUESTS_MAX 1000    /* on one connection */
#define HTTP_REQUEST_MS 10000     /* from the first byte of a request to its end, and for taking an answer */
#define HTTP_IDLE_MS (120 * 1000) /* between requests: scrapes come each 15 to 60 s */
#define MONITOR_CONNECTIONS_MAX 8 /* of those who watch, at one time */
#define HTTP_CLIENT_REQUEST_MAX 768 /* what we ask: two names, of 255 octets at most, and fixed words */
#define HTTP_CLIENT_PIECE 4096      /* of an answer, read at a time */
#define HTTP_CLIENT_MS (60 * 1000)  /* one question and its answer; RFC 8461 3.3 proposes a minute */
#define HTTP_INTERIM_MAX 8          /* answers of 1xx before the one that counts */
#define HTTP_BODY_MAX (64 * 1024)   /* of an answer; RFC 8461 3.3 proposes 64 KiB for policies */

/* Keys. */
#define PASSWORD_MIN 16 /* bytes after base64: 128 bits, below that a published key invites guessing */

/* Lists. */
#define LIST_NAME_MAX 30 /* so that NAME-unsubscribe, NAME-return-TOKEN and the like fit 64 octets */
#define REWRITE_HEAD_MAX                     \
        (MAIL_HEADER_MAX - LIPAP_FRONT_MAX - \
                LIPAP_PREFIX_MAX) /* a post's header as it goes out, but our front */
#define REWRITE_TAIL_MAX 2048     /* what stands behind the body of a post: the footer's part */

/* lipap. */
#define LIPAP_DOMAINS_MAX 32
#define LIPAP_SIGNERS_MAX 16
#define LIPAP_PASSWORDS_MAX 4 /* the password and the older ones whose tokens are still accepted */
#define LIPAP_SESSIONS_MAX \
        11264 /* SMTP sessions at once, where there is room: nine tenths are ten thousand idle ones */
#define LIPAP_SESSIONS_MIN 100 /* that may be asked for: twice those that are kept for signers */
#define LIPAP_CONNECTIONS_OWN                                                                     \
        (DELIVERY_WORKERS_MAX + DELIVERY_WORKERS_URGENT + DELIVERY_STUCK_MAX + HANDOVER_WORKERS + \
                DNS_QUERIES_MAX + DNS_SOCKETS_IDLE_MAX + MONITOR_CONNECTIONS_MAX +                \
                64) /* beside sessions: each of these, listeners, files */
#define LIPAP_SECURED_MAX \
        2000 /* sessions under TLS: 27 KiB each, 55 KiB in the handshake; 454 for the rest */
#define LIPAP_MESSAGES_MAX 1000 /* that come in at once: 60 KiB each and a header section; 452 for the rest */
#define LIPAP_SESSIONS_RESERVED \
        50 /* of these only for signers, or lipap waits for nec while nec waits for lipap */
#define SMTPD_CROWDED_PERCENT 90     /* of the sessions: above it, idle ones make room for new ones */
#define SMTPD_DISMISS_AFTER_MS 10000 /* without use of its session, before a client makes room for another */
#define SMTPD_SLOW_AFTER_MS 10000    /* likewise, without end of its message */
#define SMTPD_SPARE_MAX 64           /* buffers of sessions that are kept for the next ones */
#define LIPAP_FRONT_MAX \
        (24 * 1024) /* header fields that we put in front of a post, results of authentication most */
#define LIPAP_SPARE_POSTS_MAX 64     /* blocks of memory for a message that are kept for the next ones */
#define LIPAP_PREFIX_MAX (32 * 1024) /* header fields that nec puts in front of that */
#define HANDOVER_WORKERS 4           /* connections to signers */
#define HANDOVER_RETRY_FIRST_MS 1000 /* after a signer failed; doubles */
#define HANDOVER_RETRY_MOST_MS 30000 /* a private network: a signer that is back is to be seen soon */
#define HANDOVER_CONNECT_MS 5000     /* a private network answers at once or not at all */
#define HANDOVER_GREETING_MS 10000   /* likewise; a signer that hangs is passed over then */
#define HANDOVER_COMMAND_MS 60000    /* it asks us in turn before it answers */
#define HANDOVER_IDLE_MS 10000       /* an unused connection to a signer is closed */
#define DELIVERY_JOBS_MAX \
        4096 /* deliveries held in memory at once: eight for each connection, 300 bytes each */
#define DELIVERY_WORKERS_MAX \
        500 /* connections for delivery in all, beside those that are stuck; 80 KB each */
#define DELIVERY_WORKERS_SHARE \
        16 /* of the connections that the platform has room for, one in so many, if that is less */
#define DELIVERY_WORKERS_MIN 20
#define DELIVERY_URGENT_JOBS 256   /* of what people wait for, beside the jobs above */
#define DELIVERY_WORKERS_URGENT 16 /* connections for destinations of such mail when all others are taken */
#define DELIVERY_ROUTES_MAX 4096   /* ways from domains to their hosts that are remembered */
#define DELIVERY_ROUTE_LEAST_MS (60 * 1000) /* however soon the DNS forgets */
#define DELIVERY_ROUTE_MOST_MS \
        (15 * 60 * 1000) /* however long it holds: who moves a domain waits no longer */
#define DELIVERY_ASKING_MAX \
        128 /* routes looked up at one time: each has up to 34 questions, one after another */
#define DELIVERY_ASKING_URGENT 16 /* and of such with urgent mail, when these are all taken */
#define DELIVERY_LETTERS_MAX 64   /* messages of which what every transaction needs is kept in memory */
#define DELIVERY_LETTERS_BYTES_MAX (4 * 1024 * 1024) /* and their bytes, for those that are small */
#define DELIVERY_LETTER_MAX (512 * 1024) /* a larger one is read from the spool for each recipient */
#define DELIVERY_GO_MAX (64 * 1024) /* a message goes out behind its envelope, without waiting, up to here */
#define DELIVERY_STUCK_MAX 200      /* destinations that were connected to and do not speak */
#define DELIVERY_WORKERS_EACH \
        20 /* connections to one destination, when it is willing: large providers take as many of one sender */
#define DELIVERY_ADDRESSES_MAX \
        4096 /* addresses of mail hosts that are remembered when nothing is open there */
#define DELIVERY_ADDRESS_WAIT_MS 10000 /* for a place there, before others are tried */
#define DELIVERY_ADDRESS_TURN 20       /* recipients before a session gives its place to who waits for it */
#define DELIVERY_LINGER_MS 2000        /* an unused connection waits for more mail to the same destination */
#define DELIVERY_SLOW_MS 5000 /* a destination whose jobs wait longer is slow, and gives way to others */
#define DELIVERY_SLOW_JOBS 8  /* that may wait in memory for a slow destination when others need the room */
#define DELIVERY_SLOW_PAUSE_MS 30000           /* before the rest of them is looked at again */
#define DELIVERY_REST_MOST_MS (60 * 60 * 1000) /* of a destination that fails time after time */
#define DELIVERY_RESTS_MAX 1024                /* destinations that just failed and are remembered as such */
#define DELIVERY_OPEN_MS \
        (6 * 60 * 1000) /* for all addresses of a destination; one may take 5 minutes to greet */
#define DELIVERY_CONNECT_MS \
        30000 /* RFC 5321 4.5.3.2 names no time for it; several addresses may have to be tried */
#define DELIVERY_BLIND_MS \
        60000 /* after an outcome that could not be kept: a store that failed ends the program */
#define DELIVERY_RETRY_FIRST_MS (5 * 60 * 1000)
#define DELIVERY_RETRY_MOST_MS (4 * 60 * 60 * 1000)
#define DELIVERY_LIFE_MS (5LL * 24 * 60 * 60 * 1000) /* RFC 5321 4.5.4.1: four to five days */
#define HISTORY_LIFE_MS (30LL * 24 * 60 * 60 * 1000) /* of what is told of messages that are done */
#define TRACE_LIFE_MS (7LL * 24 * 60 * 60 * 1000)    /* of what was found and decided about a message */
#define HISTORY_BATCH 500                            /* rows taken away in one transaction */
#define PROVIDERS_MAX 1024   /* whose deliveries of a day are counted, for the judge of bounces: half a MB */
#define WATCH_MS (60 * 1000) /* from one look at what could need a person to the next */
#define WATCH_RECORDS_FIRST_MS (10 * 60 * 1000)  /* a new zone has come to its servers by then */
#define WATCH_RECORDS_MS (24LL * 60 * 60 * 1000) /* from one look at the records in the DNS to the next */
#define WATCH_RECORDS_BAD_MS (60 * 60 * 1000)    /* and while some are missing */
#define WATCH_CLOCK_MS (60 * 60 * 1000)          /* a clock that was set by more is worth a line */
#define MAILER_RETRY_MS 30000                    /* when mail of our own could not be written */
#define MX_ADDRESSES_MAX 24                      /* addresses of one destination that we try */
#define MX_HOSTS_MAX 16                          /* of one destination whose addresses are looked up */
#define MX_LOOKUP_MS 30000
#define BOUNCE_KEEP_MAX \
        32768 /* of a bounce, what is looked at: the words for people come first, the returned message last */

/* TLS. */
#define LIPAP_PROXIES_MAX 16
#define LIPAP_ADDRESS_SESSIONS 50          /* of one address at a time, unless it is said otherwise */
#define PROXY_HEADER_MS 10000              /* a proxy says at once for whom it speaks */
#define TLS_PERIOD_S (90LL * 24 * 60 * 60) /* a key of our own serves so long */
#define TLS_SLACK_S (30LL * 24 * 60 * 60)  /* its certificate is valid so much longer, at both ends */
#define TLSA_TTL_S 3600
#define TLS_SESSIONS_MAX \
        256 /* of servers, kept by clients to be resumed: the hosts that get most of the mail */
#define TLS_SESSION_SIZE_MAX 8192 /* of one of these: a certificate and a ticket; larger ones are not kept */
#define TLS_RESUME_MS (60LL * 60 * 1000) /* since the server proved itself; longer ago, it does so anew */

/* MTA-STS: RFC 8461. */
#define STS_ID_MAX 32          /* 3.1 */
#define STS_MAX_AGE_S 31557600 /* 3.2 */
#define STS_MX_MAX 128         /* patterns of one policy; the largest that are known have some twenty */
#define STS_KEPT_MAX 4096 /* of a policy as it is kept: so STS_POLICIES_MAX of them are 40 MiB of an image */
#define STS_POLICIES_MAX 10000       /* that are kept; those that expire first go */
#define STS_FETCHES_MAX 64           /* at one time: each holds some 130 KiB */
#define STS_ANSWER_ROOM (16 * 1024)  /* for an answer of the DNS: forty records; who has more has none */
#define STS_FAILED_MAX 1024          /* domains whose fetch failed, and that are remembered for it */
#define STS_ADDRESSES_MAX 8          /* of a policy's server that are tried */
#define STS_CONNECT_MS (10LL * 1000) /* to one of them: several may have to be tried */
#define STS_REFRESH_MS \
        (24LL * 60 * 60 * 1000)        /* a policy that is older is fetched anew (3.3, 10.2: once a day) */
#define STS_RETRY_MS (5LL * 60 * 1000) /* 3.3: between a fetch that failed and the next; for max_age 0, too */
#define STS_FETCH_MS (60LL * 1000)     /* all of one fetch: names, TLS, the text (3.3) */

/* FAT32 volumes. */
#define FAT_VOLUME_MIN \
        (34ULL << 20) /* 65,525 clusters of one 512-byte sector, two FATs and the reserved sectors */
#define FAT_VOLUME_MAX (1ULL << 40) /* 2^28 clusters of 4096 bytes */
#define FAT_RESERVED_SECTORS 128    /* what we format with; our redo area is in them */
#define FAT_FILE_MAX 0xffffffffULL  /* the size field has 32 bits */
#define FAT_NAME_UNITS_MAX 255      /* UTF-16 units of a long name */
#define FAT_NAME_UTF8_MAX 765       /* the same in UTF-8: at most three bytes a unit */
#define FAT_SHORT_UTF8_MAX 34       /* 8.3 with its dot, at most three bytes a character */
#define FAT_DIRECTORY_MAX 65536     /* entries of a directory: 2 MiB, the format's own limit */
#define FAT_DEPTH_MAX 32            /* nested directories that a check looks into */
#define FAT_CACHE_SIZE (128 * 1024) /* sectors of the FAT and of directories held in memory */
#define FAT_CACHE_WAYS 4
#define FAT_STAGE_SIZE (56 * 1024) /* one change of metadata: its record's header and sectors */
#define FAT_STAGED_MAX 110         /* sectors of one record: what the reserved sectors hold */
#define FAT_GROUPS_MAX 2048        /* parts of the FAT whose free clusters are counted apart */
#define FAT_FILE_RUNS 64           /* pieces of a file's chain that its handle remembers */

/* Fibers. */
#define FIBER_STACK_SIZE (256 * 1024) /* address space; pages are touched as used */

#endif
