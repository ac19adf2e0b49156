/* SPDX-License-Identifier: ISC */
#include "mail/charset.h"

#define NONE 0xfffd

enum charset charset_of(struct str name)
{
        static const struct {
                struct str name;
                enum charset charset;
        } names[] = {
                {{"utf-8", 5}, CHARSET_UTF8},
                {{"utf8", 4}, CHARSET_UTF8},
                {{"us-ascii", 8}, CHARSET_UTF8},
                {{"ascii", 5}, CHARSET_UTF8},
                {{"iso-8859-1", 10}, CHARSET_LATIN1},
                {{"latin1", 6}, CHARSET_LATIN1},
                {{"iso-8859-15", 11}, CHARSET_LATIN9},
                {{"windows-1252", 12}, CHARSET_WINDOWS},
                {{"cp1252", 6}, CHARSET_WINDOWS},
        };
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (str_eq_nocase(name, names[i].name))
                        return names[i].charset;
        return CHARSET_UNKNOWN;
}

/* 0x80 to 0x9f */
static uint32_t windows_code(uint8_t octet)
{
        static const uint16_t codes[32] = {0x20ac, NONE, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, NONE, 0x017d, NONE, NONE, 0x2018, 0x2019, 0x201c,
                0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, NONE, 0x017e, 0x0178};
        return codes[octet - 0x80];
}

static uint32_t latin9_code(uint8_t octet)
{
        static const struct {
                uint8_t octet;
                uint16_t code;
        } differs[] = {{0xa4, 0x20ac}, {0xa6, 0x0160}, {0xa8, 0x0161}, {0xb4, 0x017d}, {0xb8, 0x017e},
                {0xbc, 0x0152}, {0xbd, 0x0153}, {0xbe, 0x0178}};
        for (size_t i = 0; i < sizeof differs / sizeof differs[0]; i++)
                if (differs[i].octet == octet)
                        return differs[i].code;
        return octet;
}

uint32_t charset_code(enum charset charset, uint8_t octet)
{
        if (octet < 0x80)
                return octet;
        switch (charset) {
        case CHARSET_LATIN1:
                return octet;
        case CHARSET_LATIN9:
                return latin9_code(octet);
        case CHARSET_WINDOWS:
                return octet < 0xa0 ? windows_code(octet) : octet;
        case CHARSET_UTF8:
        case CHARSET_UNKNOWN:
                break;
        }
        return NONE;
}
