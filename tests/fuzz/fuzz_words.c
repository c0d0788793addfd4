/* Any bytes of a child, written as one line, as a block, as JSON and as XML: always well-formed
 * UTF-8 without control characters. */
#include <stdlib.h>

#include "reports/json_writer.h"
#include "reports/words.h"
#include "reports/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct str text, bool layout)
{
    for (size_t i = 0; i < text.len;) {
        size_t n = words_utf8(text.at + i, text.len - i);
        unsigned char c = (unsigned char)text.at[i];
        if (n == 0 || (c < 0x20 && !(layout && (c == '\n' || c == '\t'))) || c == 0x7F)
            abort();
        i += n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct str bytes = {(const char *)data, size};
    struct buf buf;
    buf_init(&buf, 1 << 24);
    check(str_of(words_line(&arena, bytes, 40)), false);
    words_block(&buf, bytes);
    check(buf_text(&buf), true);
    buf_clear(&buf);
    json_quote(&buf, bytes);
    check(buf_text(&buf), false);
    buf_clear(&buf);
    xml_put_bytes(&buf, bytes);
    check(buf_text(&buf), true);
    buf_release(&buf);
    arena_release(&arena);
    return 0;
}
