#include "reports/xml.h"

#include "reports/words.h"

/* XML 1.0 has no way to write these, not even escaped. */
static bool is_outside_xml(const char *at, size_t n)
{
    unsigned char c = (unsigned char)at[0];
    if (n == 0)
        return true;
    if (n == 1)
        return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
    bool noncharacter =
        n == 3 && c == 0xEF && (unsigned char)at[1] == 0xBF && (unsigned char)at[2] >= 0xBE;
    bool c1_control = n == 2 && c == 0xC2 && (unsigned char)at[1] < 0xA0;
    return noncharacter || c1_control;
}

void xml_put_bytes(struct buf *buf, struct str bytes)
{
    for (size_t i = 0; i < bytes.len;) {
        const char *at = bytes.at + i;
        size_t n = words_utf8(at, bytes.len - i);
        if (is_outside_xml(at, n))
            buf_puts(buf, "\xEF\xBF\xBD");
        else if (*at == '<')
            buf_puts(buf, "&lt;");
        else if (*at == '>')
            buf_puts(buf, "&gt;");
        else if (*at == '&')
            buf_puts(buf, "&amp;");
        else if (*at == '"')
            buf_puts(buf, "&quot;");
        else if (*at == '\'')
            buf_puts(buf, "&#39;");
        else if (*at == '\r')
            buf_puts(buf, "&#13;");
        else
            buf_add(buf, at, n);
        i += n ? n : 1;
    }
}

void xml_put(struct buf *buf, const char *text)
{
    xml_put_bytes(buf, str_of(text));
}
