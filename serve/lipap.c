/* SPDX-License-Identifier: ISC */
#include "serve/lipap.h"

const struct lipap_domain *lipap_domain_find(const struct lipap *node, struct str name)
{
        for (size_t i = 0; i < node->domain_count; i++)
                if (str_eq_nocase(node->domains[i].name, name))
                        return &node->domains[i];
        return NULL;
}

bool lipap_is_signer(const struct lipap *node, const struct ip *peer)
{
        for (size_t i = 0; i < node->signer_network_count; i++)
                if (ip_net_has(&node->signer_networks[i], peer))
                        return true;
        return false;
}

bool lipap_is_proxy(const struct lipap *node, const struct ip *peer)
{
        for (size_t i = 0; i < node->proxy_count; i++)
                if (ip_net_has(&node->proxies[i], peer))
                        return true;
        return false;
}

void lipap_count_reply(
        struct lipap_stats *stats, enum smtp_server_event_kind asked, const struct smtp_reply *reply)
{
        if (reply->code >= 400 && reply->code - 400 < LIPAP_REFUSALS)
                stats->refused[reply->code - 400]++;
        else if (asked == SMTP_SERVER_END)
                stats->accepted++;
}

void lipap_posts_released(struct lipap *node)
{
        node->has_released = true;
        bell_ring(&node->handover_bell);
}

void lipap_queue_changed(struct lipap *node)
{
        node->has_flushed = true;
        lipap_posts_released(node);
        bell_ring(&node->delivery_bell);
}
