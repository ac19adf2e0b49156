/* SPDX-License-Identifier: ISC */
#include "dns/update.h"

void dns_update_init(struct dns_update *u, void *buffer, size_t cap, uint16_t id, const struct dns_name *zone)
{
        dns_writer_init(&u->writer, buffer, cap, &(struct dns_header){.id = id, .opcode = DNS_OPCODE_UPDATE});
        dns_writer_question(&u->writer,
                &(struct dns_question){.name = *zone, .type = DNS_TYPE_SOA, .class = DNS_CLASS_IN});
}

static void need(struct dns_update *u, const struct dns_name *name, uint16_t type, uint16_t class)
{
        dns_writer_record(
                &u->writer, &(struct dns_record_out){
                                    .section = DNS_PREREQUISITE, .name = name, .type = type, .class = class});
}

void dns_update_need_rrset(struct dns_update *u, const struct dns_name *name, uint16_t type)
{
        need(u, name, type, DNS_CLASS_ANY);
}

void dns_update_need_exact(struct dns_update *u, const struct dns_name *name, uint16_t type, struct str rdata)
{
        dns_writer_record(&u->writer, &(struct dns_record_out){.section = DNS_PREREQUISITE,
                                              .name = name,
                                              .type = type,
                                              .class = DNS_CLASS_IN,
                                              .rdata = rdata});
}

void dns_update_need_no_rrset(struct dns_update *u, const struct dns_name *name, uint16_t type)
{
        need(u, name, type, DNS_CLASS_NONE);
}

void dns_update_need_name(struct dns_update *u, const struct dns_name *name)
{
        need(u, name, DNS_TYPE_ANY, DNS_CLASS_ANY);
}

void dns_update_need_no_name(struct dns_update *u, const struct dns_name *name)
{
        need(u, name, DNS_TYPE_ANY, DNS_CLASS_NONE);
}

void dns_update_add(struct dns_update *u, const struct dns_update_record *record)
{
        dns_writer_record(&u->writer, &(struct dns_record_out){.section = DNS_UPDATE,
                                              .name = record->name,
                                              .type = record->type,
                                              .class = DNS_CLASS_IN,
                                              .ttl_s = record->ttl_s,
                                              .rdata = record->rdata});
}

void dns_update_delete_rrset(struct dns_update *u, const struct dns_name *name, uint16_t type)
{
        dns_writer_record(&u->writer,
                &(struct dns_record_out){
                        .section = DNS_UPDATE, .name = name, .type = type, .class = DNS_CLASS_ANY});
}

void dns_update_delete_name(struct dns_update *u, const struct dns_name *name)
{
        dns_update_delete_rrset(u, name, DNS_TYPE_ANY);
}

void dns_update_delete_record(
        struct dns_update *u, const struct dns_name *name, uint16_t type, struct str rdata)
{
        dns_writer_record(&u->writer, &(struct dns_record_out){.section = DNS_UPDATE,
                                              .name = name,
                                              .type = type,
                                              .class = DNS_CLASS_NONE,
                                              .rdata = rdata});
}

enum err dns_update_end(struct dns_update *u, struct str *out)
{
        return dns_writer_end(&u->writer, out);
}
